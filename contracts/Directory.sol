// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {Statement} from "./Statement.sol";
import {Vocabulary} from "./Vocabulary.sol";

/// @title Directory
/// @notice See `IDirectory`.
contract Directory is Statement, IDirectory {
    bytes32 private constant ORGANISATION_REGISTRATION_TYPE = keccak256(
        "OrganisationRegistration(uint24 organisationId,bool active,bytes32 profile,uint32 version,address administrator,uint40 deadline)"
    );
    bytes32 private constant PRACTITIONER_REGISTRATION_TYPE = keccak256(
        "PractitionerRegistration(bytes16 practitionerId,address key,uint24 organisationId,uint8 role,uint40 licenceUntil,bool active,bool custodial,uint16 version,address administrator,uint40 deadline)"
    );
    bytes32 private constant PATIENT_REGISTRATION_TYPE = keccak256(
        "PatientRegistration(bytes32 patientId,address controller,bool custodial,address administrator,uint40 deadline)"
    );
    bytes32 private constant CONTROLLER_ROTATION_TYPE = keccak256(
        "ControllerRotation(bytes32 patientId,address newController,bool custodial,uint32 version,uint40 deadline)"
    );
    bytes32 private constant RECOVERY_PROPOSAL_TYPE = keccak256(
        "RecoveryProposal(bytes32 patientId,address newController,bool custodial,uint32 version,address administrator,address coAdministrator,uint40 deadline)"
    );
    bytes32 private constant RECOVERY_VETO_TYPE = keccak256("RecoveryVeto(bytes32 patientId,bytes32 proposal)");
    bytes32 private constant OFFICER_APPOINTMENT_TYPE = keccak256(
        "OfficerAppointment(address officer,uint8 duties,uint32 version,address administrator,address coAdministrator,uint40 deadline)"
    );

    uint8 private constant ACTIVE = 1;
    uint8 private constant CUSTODIAL = 2;

    struct Officer {
        uint8 duties;
        uint32 version;
    }

    mapping(uint24 organisationId => Organisation) private _organisations;
    mapping(bytes16 practitionerId => Practitioner) private _practitioners;
    mapping(bytes32 patientId => Patient) private _patients;
    mapping(bytes32 patientId => Recovery) private _recoveries;
    mapping(address account => Officer) private _officers;
    uint256 private _administratorCount;

    /// @notice How long a proposed recovery waits for a veto, in seconds.
    uint40 public immutable recoveryDelay;

    /// @param administrators At least two, for the acts that need two.
    /// @param operators Accounts that may anchor the audit log.
    constructor(address[] memory administrators, address[] memory operators, uint40 recoveryDelay_) {
        recoveryDelay = recoveryDelay_;
        for (uint256 i = 0; i < administrators.length; i++) {
            _setDuties(administrators[i], Vocabulary.ADMINISTRATOR | Vocabulary.CUSTODIAL, 1);
            emit OfficerAppointed(bytes32(0), administrators[i], Vocabulary.ADMINISTRATOR | Vocabulary.CUSTODIAL, 1);
        }
        for (uint256 i = 0; i < operators.length; i++) {
            uint8 duties = _officers[operators[i]].duties | Vocabulary.OPERATOR;
            _setDuties(operators[i], duties, 1);
            emit OfficerAppointed(bytes32(0), operators[i], duties, 1);
        }
        if (_administratorCount < 2) revert LastAdministrators(_administratorCount);
    }

    /// @inheritdoc IDirectory
    function registerOrganisation(OrganisationRegistration calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(ORGANISATION_REGISTRATION_TYPE, statement));
        _requireInTime(id, statement.deadline);
        _requireAdministrator(statement.administrator);
        if (statement.organisationId == 0) revert OrganisationUnknown(0);
        _requireNewer(_organisations[statement.organisationId].version, statement.version);
        _requireSignedBy(id, statement.administrator, signature);

        _organisations[statement.organisationId] =
            Organisation({profile: statement.profile, version: statement.version, active: statement.active});
        emit OrganisationRegistered(
            id, statement.organisationId, statement.active, statement.profile, statement.version
        );
    }

    /// @inheritdoc IDirectory
    function registerPractitioner(PractitionerRegistration calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(PRACTITIONER_REGISTRATION_TYPE, statement));
        _requireInTime(id, statement.deadline);
        _requireAdministrator(statement.administrator);
        if (statement.practitionerId == bytes16(0)) revert PractitionerIdInvalid(statement.practitionerId);
        if (statement.key == address(0)) revert ZeroAddress();
        if (statement.role == 0 || statement.role >= Vocabulary.ROLE_COUNT) revert RoleUnknown(statement.role);
        if (_organisations[statement.organisationId].version == 0) {
            revert OrganisationUnknown(statement.organisationId);
        }
        _requireNext(_practitioners[statement.practitionerId].version, statement.version);
        // The last version is kept for ending: whoever counts up to it cannot make a practitioner last for ever.
        if (statement.active && statement.version == type(uint16).max) {
            revert VersionOutOfRange(statement.version - 1, statement.version);
        }
        _requireSignedBy(id, statement.administrator, signature);

        _practitioners[statement.practitionerId] = Practitioner({
            key: statement.key,
            organisationId: statement.organisationId,
            role: statement.role,
            licenceUntil: statement.licenceUntil,
            flags: (statement.active ? ACTIVE : 0) | (statement.custodial ? CUSTODIAL : 0),
            version: statement.version
        });
        emit PractitionerRegistered(
            id,
            statement.practitionerId,
            statement.key,
            statement.organisationId,
            statement.role,
            statement.licenceUntil,
            statement.active,
            statement.custodial,
            statement.version
        );
    }

    /// @inheritdoc IDirectory
    function registerPatient(PatientRegistration calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(PATIENT_REGISTRATION_TYPE, statement));
        _requireInTime(id, statement.deadline);
        _requireAdministrator(statement.administrator);
        if (statement.controller == address(0)) revert ZeroAddress();
        if (_patients[statement.patientId].controller != address(0)) {
            revert PatientAlreadyRegistered(statement.patientId);
        }
        _requireSignedBy(id, statement.administrator, signature);

        _patients[statement.patientId] =
            Patient({controller: statement.controller, custodial: statement.custodial, version: 1});
        emit PatientRegistered(id, statement.patientId, statement.controller, statement.custodial);
    }

    /// @inheritdoc IDirectory
    function rotateController(ControllerRotation calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(CONTROLLER_ROTATION_TYPE, statement));
        _requireInTime(id, statement.deadline);
        Patient memory current = _patient(statement.patientId);
        _requireNext(current.version, statement.version);
        _requireSignedBy(id, current.controller, signature);

        _setController(id, statement.patientId, statement.newController, statement.custodial);
    }

    /// @inheritdoc IDirectory
    function proposeRecovery(RecoveryProposal calldata statement, bytes calldata signature, bytes calldata coSignature)
        external
    {
        bytes32 id = keccak256(abi.encode(RECOVERY_PROPOSAL_TYPE, statement));
        _requireInTime(id, statement.deadline);
        Patient memory current = _patient(statement.patientId);
        if (statement.newController == address(0)) revert ZeroAddress();
        _requireNext(current.version, statement.version);
        Recovery storage pending = _recoveries[statement.patientId];
        if (pending.readyAt != 0 && pending.version == statement.version) {
            revert RecoveryAlreadyPending(statement.patientId, pending.proposal);
        }
        _requireTwoAdministrators(id, statement.administrator, signature, statement.coAdministrator, coSignature);

        uint40 readyAt = uint40(block.timestamp) + recoveryDelay;
        _recoveries[statement.patientId] = Recovery({
            proposal: id,
            newController: statement.newController,
            custodial: statement.custodial,
            version: statement.version,
            readyAt: readyAt
        });
        emit RecoveryProposed(id, statement.patientId, statement.newController, readyAt);
    }

    /// @inheritdoc IDirectory
    function vetoRecovery(RecoveryVeto calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(RECOVERY_VETO_TYPE, statement));
        Patient memory current = _patient(statement.patientId);
        Recovery storage pending = _recoveries[statement.patientId];
        // An empty slot holds the proposal zero, and a veto of that would work again and again.
        if (pending.readyAt == 0 || pending.proposal != statement.proposal) {
            revert RecoveryNotPending(statement.patientId, statement.proposal);
        }
        _requireSignedBy(id, current.controller, signature);

        delete _recoveries[statement.patientId];
        // The vetoed proposal names this version, so it cannot be proposed a second time.
        _patients[statement.patientId].version = current.version + 1;
        emit RecoveryVetoed(id, statement.patientId, statement.proposal);
    }

    /// @inheritdoc IDirectory
    function completeRecovery(bytes32 patientId) external {
        Patient memory current = _patient(patientId);
        Recovery memory pending = _recoveries[patientId];
        if (pending.readyAt == 0 || pending.version != current.version + 1) {
            revert RecoveryNotPending(patientId, pending.proposal);
        }
        if (block.timestamp < pending.readyAt) revert RecoveryTooEarly(patientId, pending.readyAt);

        _setController(pending.proposal, patientId, pending.newController, pending.custodial);
    }

    /// @inheritdoc IDirectory
    function appointOfficer(OfficerAppointment calldata statement, bytes calldata signature, bytes calldata coSignature)
        external
    {
        bytes32 id = keccak256(abi.encode(OFFICER_APPOINTMENT_TYPE, statement));
        _requireInTime(id, statement.deadline);
        if (statement.duties & ~Vocabulary.KNOWN_DUTIES != 0) revert DutiesUnknown(statement.duties);
        _requireNewer(_officers[statement.officer].version, statement.version);
        _requireTwoAdministrators(id, statement.administrator, signature, statement.coAdministrator, coSignature);

        _setDuties(statement.officer, statement.duties, statement.version);
        if (_administratorCount < 2) revert LastAdministrators(_administratorCount);
        emit OfficerAppointed(id, statement.officer, statement.duties, statement.version);
    }

    /// @inheritdoc IDirectory
    function organisation(uint24 organisationId) external view returns (Organisation memory) {
        return _organisations[organisationId];
    }

    /// @inheritdoc IDirectory
    function practitioner(bytes16 practitionerId) external view returns (Practitioner memory) {
        return _practitioners[practitionerId];
    }

    /// @inheritdoc IDirectory
    function patient(bytes32 patientId) external view returns (Patient memory) {
        return _patients[patientId];
    }

    /// @inheritdoc IDirectory
    function recovery(bytes32 patientId) external view returns (Recovery memory) {
        return _recoveries[patientId];
    }

    /// @inheritdoc IDirectory
    function officer(address account) external view returns (uint8 duties, uint32 version) {
        Officer memory found = _officers[account];
        return (found.duties, found.version);
    }

    /// @inheritdoc IDirectory
    function controllerOf(bytes32 patientId) external view returns (address) {
        return _patient(patientId).controller;
    }

    /// @inheritdoc IDirectory
    function standing(bytes16 practitionerId, uint40 moment)
        external
        view
        returns (Standing state, address key, uint24 organisationId, uint8 role)
    {
        Practitioner memory found = _practitioners[practitionerId];
        if (found.version == 0) state = Standing.Unknown;
        else if (found.flags & ACTIVE == 0) state = Standing.Inactive;
        else if (moment > found.licenceUntil) state = Standing.LicenceExpired;
        else if (!_organisations[found.organisationId].active) state = Standing.OrganisationInactive;
        else state = Standing.Good;
        return (state, found.key, found.organisationId, found.role);
    }

    /// @inheritdoc IDirectory
    function isOperator(address account) external view returns (bool) {
        return _officers[account].duties & Vocabulary.OPERATOR != 0;
    }

    function _patient(bytes32 patientId) private view returns (Patient memory found) {
        found = _patients[patientId];
        if (found.controller == address(0)) revert PatientUnknown(patientId);
    }

    function _setController(bytes32 statement, bytes32 patientId, address newController, bool custodial) private {
        if (newController == address(0)) revert ZeroAddress();
        Patient storage current = _patients[patientId];
        address oldController = current.controller;
        uint32 version = current.version + 1;
        _patients[patientId] = Patient({controller: newController, custodial: custodial, version: version});
        delete _recoveries[patientId];
        emit ControllerRotated(statement, patientId, newController, oldController, custodial, version);
    }

    function _setDuties(address account, uint8 duties, uint32 version) private {
        if (account == address(0)) revert ZeroAddress();
        bool was = _officers[account].duties & Vocabulary.ADMINISTRATOR != 0;
        bool becomes = duties & Vocabulary.ADMINISTRATOR != 0;
        if (becomes && !was) _administratorCount++;
        if (was && !becomes) _administratorCount--;
        _officers[account] = Officer({duties: duties, version: version});
    }

    function _requireAdministrator(address account) private view {
        if (_officers[account].duties & Vocabulary.ADMINISTRATOR == 0) revert NotAdministrator(account);
    }

    function _requireTwoAdministrators(
        bytes32 statement,
        address first,
        bytes calldata signature,
        address second,
        bytes calldata coSignature
    ) private view {
        if (first == second) revert AdministratorsMustDiffer(first);
        _requireAdministrator(first);
        _requireAdministrator(second);
        _requireSignedBy(statement, first, signature);
        _requireSignedBy(statement, second, coSignature);
    }
}

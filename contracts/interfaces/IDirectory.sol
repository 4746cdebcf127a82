// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatement} from "./IStatement.sol";

/// @title IDirectory
/// @notice Who is who: organisations, practitioners, patients by random pseudonym, and the officers who keep order.
interface IDirectory is IStatement {
    /// @notice Signed by an administrator; the newest version wins.
    struct OrganisationRegistration {
        uint24 organisationId;
        bool active;
        bytes32 profile;
        uint32 version;
        address administrator;
        uint40 deadline;
    }

    /// @notice Signed by an administrator; also changes the key, role or licence of a practitioner, or ends them.
    /// `version` is exactly the last one plus one; the last there can be only ends.
    struct PractitionerRegistration {
        bytes16 practitionerId;
        address key;
        uint24 organisationId;
        uint8 role;
        uint40 licenceUntil;
        bool active;
        bool custodial;
        uint16 version;
        address administrator;
        uint40 deadline;
    }

    /// @notice Signed by an administrator; binds a fresh random pseudonym to its first controller.
    struct PatientRegistration {
        bytes32 patientId;
        address controller;
        bool custodial;
        address administrator;
        uint40 deadline;
    }

    /// @notice Signed by the present controller; `version` is exactly the last one plus one.
    struct ControllerRotation {
        bytes32 patientId;
        address newController;
        bool custodial;
        uint32 version;
        uint40 deadline;
    }

    /// @notice Signed by two different administrators; takes effect after a delay that the controller can veto.
    struct RecoveryProposal {
        bytes32 patientId;
        address newController;
        bool custodial;
        uint32 version;
        address administrator;
        address coAdministrator;
        uint40 deadline;
    }

    /// @notice Signed by the present controller against one named proposal; has no deadline.
    struct RecoveryVeto {
        bytes32 patientId;
        bytes32 proposal;
    }

    /// @notice Signed by two different administrators; gives or takes the duties of an officer.
    struct OfficerAppointment {
        address officer;
        uint8 duties;
        uint32 version;
        address administrator;
        address coAdministrator;
        uint40 deadline;
    }

    /// @notice An organisation as stored. `version` 0 means unknown.
    struct Organisation {
        bytes32 profile;
        uint32 version;
        bool active;
    }

    /// @notice A practitioner as stored, in one slot. `version` 0 means unknown; `flags` bit 0 active, bit 1 custodial.
    struct Practitioner {
        address key;
        uint24 organisationId;
        uint8 role;
        uint40 licenceUntil;
        uint8 flags;
        uint16 version;
    }

    /// @notice A patient as stored, in one slot. A zero controller means unknown.
    struct Patient {
        address controller;
        bool custodial;
        uint32 version;
    }

    /// @notice A recovery that waits for its delay. `readyAt` 0 means none.
    struct Recovery {
        bytes32 proposal;
        address newController;
        bool custodial;
        uint32 version;
        uint40 readyAt;
    }

    /// @notice Why a practitioner may act, or may not.
    enum Standing {
        Unknown,
        Inactive,
        LicenceExpired,
        OrganisationInactive,
        Good
    }

    event OrganisationRegistered(
        bytes32 indexed statement, uint24 indexed organisationId, bool active, bytes32 profile, uint32 version
    );
    event PractitionerRegistered(
        bytes32 indexed statement,
        bytes16 indexed practitionerId,
        address indexed key,
        uint24 organisationId,
        uint8 role,
        uint40 licenceUntil,
        bool active,
        bool custodial,
        uint16 version
    );
    event PatientRegistered(
        bytes32 indexed statement, bytes32 indexed patientId, address indexed controller, bool custodial
    );
    event ControllerRotated(
        bytes32 indexed statement,
        bytes32 indexed patientId,
        address indexed newController,
        address oldController,
        bool custodial,
        uint32 version
    );
    event RecoveryProposed(
        bytes32 indexed statement, bytes32 indexed patientId, address indexed newController, uint40 readyAt
    );
    event RecoveryVetoed(bytes32 indexed statement, bytes32 indexed patientId, bytes32 indexed proposal);
    event OfficerAppointed(bytes32 indexed statement, address indexed officer, uint8 duties, uint32 version);

    error NotAdministrator(address account);
    error AdministratorsMustDiffer(address administrator);
    error LastAdministrators(uint256 remaining);
    error ZeroAddress();
    error OrganisationUnknown(uint24 organisationId);
    error PractitionerIdInvalid(bytes16 practitionerId);
    error RoleUnknown(uint8 role);
    error DutiesUnknown(uint8 duties);
    error PatientUnknown(bytes32 patientId);
    error PatientAlreadyRegistered(bytes32 patientId);
    error RecoveryAlreadyPending(bytes32 patientId, bytes32 proposal);
    error RecoveryNotPending(bytes32 patientId, bytes32 proposal);
    error RecoveryTooEarly(bytes32 patientId, uint40 readyAt);

    function registerOrganisation(OrganisationRegistration calldata statement, bytes calldata signature) external;

    function registerPractitioner(PractitionerRegistration calldata statement, bytes calldata signature) external;

    function registerPatient(PatientRegistration calldata statement, bytes calldata signature) external;

    function rotateController(ControllerRotation calldata statement, bytes calldata signature) external;

    /// @notice Starts the delay after which anybody may call `completeRecovery`.
    function proposeRecovery(RecoveryProposal calldata statement, bytes calldata signature, bytes calldata coSignature)
        external;

    function vetoRecovery(RecoveryVeto calldata statement, bytes calldata signature) external;

    /// @notice Gives the pseudonym to the proposed controller once the delay is over. Needs no signature of its own:
    /// two administrators signed the proposal and nobody vetoed it.
    function completeRecovery(bytes32 patientId) external;

    function appointOfficer(OfficerAppointment calldata statement, bytes calldata signature, bytes calldata coSignature)
        external;

    function organisation(uint24 organisationId) external view returns (Organisation memory);

    function practitioner(bytes16 practitionerId) external view returns (Practitioner memory);

    function patient(bytes32 patientId) external view returns (Patient memory);

    function recovery(bytes32 patientId) external view returns (Recovery memory);

    /// @return duties The duties of `account` as a mask of `Vocabulary` bits.
    /// @return version The version of the last appointment.
    function officer(address account) external view returns (uint8 duties, uint32 version);

    /// @notice The controller of `patientId`; reverts with `PatientUnknown`.
    function controllerOf(bytes32 patientId) external view returns (address);

    /// @notice Everything that a check of an author needs, in one call.
    function standing(bytes16 practitionerId, uint40 moment)
        external
        view
        returns (Standing state, address key, uint24 organisationId, uint8 role);

    function isOperator(address account) external view returns (bool);
}

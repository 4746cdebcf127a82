// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {Statement} from "./Statement.sol";
import {Vocabulary} from "./Vocabulary.sol";

/// @title ConsentRegistry
/// @notice See `IConsentRegistry`.
contract ConsentRegistry is Statement, IConsentRegistry {
    bytes32 private constant CONSENT_GRANT_TYPE = keccak256(
        "ConsentGrant(bytes32 patientId,bytes32 grantee,uint8 purpose,uint40 readMask,uint40 writeMask,uint40 denyMask,uint40 notBefore,uint40 notAfter,uint32 version,uint24 epoch,address signer,uint40 deadline,string terms)"
    );
    bytes32 private constant CONSENT_REVOCATION_TYPE = keccak256(
        "ConsentRevocation(bytes32 patientId,bytes32 grantee,uint8 purpose,uint40 denyMask,uint32 version,address signer,string terms)"
    );
    bytes32 private constant TOTAL_REVOCATION_TYPE =
        keccak256("TotalRevocation(bytes32 patientId,uint24 epoch,string terms)");
    bytes32 private constant DELEGATION_TYPE = keccak256(
        "Delegation(bytes32 patientId,address delegate,uint40 scope,uint40 notBefore,uint40 notAfter,uint32 version,uint24 epoch,uint40 deadline,string terms)"
    );
    bytes32 private constant DELEGATION_END_TYPE =
        keccak256("DelegationEnd(bytes32 patientId,address delegate,uint32 version,string terms)");
    bytes32 private constant EMERGENCY_PREFERENCE_TYPE = keccak256(
        "EmergencyPreference(bytes32 patientId,uint8 level,uint32 version,uint40 deadline,string terms)"
    );
    bytes32 private constant EMERGENCY_OPENING_TYPE = keccak256(
        "EmergencyOpening(bytes32 patientId,bytes16 practitionerId,uint40 categories,bool lifeThreatening,bytes32 reasonHash,uint40 until,uint40 deadline)"
    );

    /// @notice The longest emergency access, in seconds.
    uint40 public constant MAX_EMERGENCY = 4 hours;

    IDirectory public immutable directory;

    mapping(bytes32 patientId => mapping(bytes32 grantee => mapping(uint8 purpose => Consent))) private _consents;
    mapping(bytes32 patientId => mapping(bytes32 grantee => mapping(uint8 purpose => DelegatedConsent))) private
        _delegatedConsents;
    mapping(bytes32 patientId => mapping(address account => DelegationState)) private _delegations;
    mapping(bytes32 patientId => PatientState) private _patientStates;
    mapping(bytes32 patientId => mapping(bytes16 practitionerId => Emergency)) private _emergencies;

    constructor(IDirectory directory_) {
        directory = directory_;
    }

    /// @inheritdoc IConsentRegistry
    function grant(ConsentGrant calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(CONSENT_GRANT_TYPE, statement));
        _requireInTime(id, statement.deadline);
        _requirePurpose(statement.purpose);
        _requireCategories(statement.readMask | statement.writeMask | statement.denyMask);
        _requireWindow(statement.notBefore, statement.notAfter);
        _requireEpoch(statement.patientId, statement.epoch);
        Consent storage slot = _consents[statement.patientId][statement.grantee][statement.purpose];
        DelegatedConsent storage delegated =
            _delegatedConsents[statement.patientId][statement.grantee][statement.purpose];

        if (statement.signer == directory.controllerOf(statement.patientId)) {
            _requireNewer(slot.version, statement.version);
            _requireSignedBy(id, statement.signer, signature);
            _consents[statement.patientId][statement.grantee][statement.purpose] = Consent({
                readMask: statement.readMask,
                writeMask: statement.writeMask,
                denyMask: statement.denyMask,
                notBefore: statement.notBefore,
                notAfter: statement.notAfter,
                version: _later(statement.version, delegated.version),
                epoch: statement.epoch
            });
        } else {
            DelegationState memory delegation_ = _requireDelegate(statement.patientId, statement.signer);
            _requireScope(delegation_.scope, statement.readMask | statement.writeMask);
            if (statement.denyMask != 0) revert DelegateMayNotDeny();
            if (statement.notAfter > delegation_.notAfter) {
                revert ExpiryExceeded(delegation_.notAfter, statement.notAfter);
            }
            _requireNewer(_later(slot.version, delegated.version), statement.version);
            _requireSignedBy(id, statement.signer, signature);
            _delegatedConsents[statement.patientId][statement.grantee][statement.purpose] = DelegatedConsent({
                readMask: statement.readMask,
                writeMask: statement.writeMask,
                notBefore: statement.notBefore,
                notAfter: statement.notAfter,
                version: statement.version,
                epoch: statement.epoch,
                delegate: statement.signer,
                series: delegation_.series
            });
        }
        emit ConsentGranted(
            id,
            statement.patientId,
            statement.grantee,
            statement.purpose,
            statement.readMask,
            statement.writeMask,
            statement.denyMask,
            statement.notBefore,
            statement.notAfter,
            statement.version,
            statement.signer
        );
    }

    /// @inheritdoc IConsentRegistry
    function revoke(ConsentRevocation calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(CONSENT_REVOCATION_TYPE, statement));
        _requirePurpose(statement.purpose);
        _requireCategories(statement.denyMask);
        Consent memory slot = _consents[statement.patientId][statement.grantee][statement.purpose];
        DelegatedConsent storage delegated =
            _delegatedConsents[statement.patientId][statement.grantee][statement.purpose];
        uint40 taken = type(uint40).max;
        if (statement.signer == directory.controllerOf(statement.patientId)) {
            _requireNewer(slot.version, statement.version);
        } else {
            taken = _requireDelegate(statement.patientId, statement.signer).scope;
            _requireScope(taken, statement.denyMask);
            _requireNewer(_later(slot.version, delegated.version), statement.version);
        }
        _requireSignedBy(id, statement.signer, signature);

        // A delegate takes back only within their scope. What delegates gave lives only while it is newer than this
        // slot, so a patient who does not know of it ends it too.
        slot.readMask &= ~taken;
        slot.writeMask &= ~taken;
        slot.denyMask |= statement.denyMask;
        slot.version = _later(statement.version, delegated.version);
        _consents[statement.patientId][statement.grantee][statement.purpose] = slot;
        emit ConsentRevoked(
            id,
            statement.patientId,
            statement.grantee,
            statement.purpose,
            statement.denyMask,
            statement.version,
            statement.signer
        );
    }

    /// @inheritdoc IConsentRegistry
    function revokeAll(TotalRevocation calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(TOTAL_REVOCATION_TYPE, statement));
        PatientState storage state = _patientStates[statement.patientId];
        _requireNext(state.epoch, statement.epoch);
        _requireSignedBy(id, directory.controllerOf(statement.patientId), signature);

        state.epoch = statement.epoch;
        emit EpochAdvanced(id, statement.patientId, statement.epoch);
    }

    /// @inheritdoc IConsentRegistry
    function delegate(Delegation calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(DELEGATION_TYPE, statement));
        _requireInTime(id, statement.deadline);
        _requireCategories(statement.scope);
        _requireWindow(statement.notBefore, statement.notAfter);
        _requireEpoch(statement.patientId, statement.epoch);
        address controller = directory.controllerOf(statement.patientId);
        if (statement.delegate == address(0) || statement.delegate == controller) {
            revert DelegateInvalid(statement.delegate);
        }
        DelegationState storage current = _delegations[statement.patientId][statement.delegate];
        _requireNewer(current.version, statement.version);
        _requireSignedBy(id, controller, signature);

        _delegations[statement.patientId][statement.delegate] = DelegationState({
            scope: statement.scope,
            notBefore: statement.notBefore,
            notAfter: statement.notAfter,
            version: statement.version,
            epoch: statement.epoch,
            series: current.series
        });
        emit Delegated(
            id,
            statement.patientId,
            statement.delegate,
            statement.scope,
            statement.notBefore,
            statement.notAfter,
            statement.version
        );
    }

    /// @inheritdoc IConsentRegistry
    function endDelegation(DelegationEnd calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(DELEGATION_END_TYPE, statement));
        DelegationState memory current = _delegations[statement.patientId][statement.delegate];
        _requireNewer(current.version, statement.version);
        _requireSignedBy(id, directory.controllerOf(statement.patientId), signature);

        _delegations[statement.patientId][statement.delegate] = DelegationState({
            scope: 0,
            notBefore: 0,
            notAfter: 0,
            version: statement.version,
            epoch: current.epoch,
            series: current.series + 1
        });
        emit DelegationEnded(id, statement.patientId, statement.delegate, statement.version);
    }

    /// @inheritdoc IConsentRegistry
    function setEmergencyPreference(EmergencyPreference calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(EMERGENCY_PREFERENCE_TYPE, statement));
        PatientState storage state = _patientStates[statement.patientId];
        if (statement.level > Vocabulary.EMERGENCY_NEVER) revert EmergencyLevelUnknown(statement.level);
        if (statement.deadline != 0) _requireInTime(id, statement.deadline);
        else if (statement.level < state.emergencyLevel) revert DeadlineRequired();
        _requireNewer(state.emergencyVersion, statement.version);
        _requireSignedBy(id, directory.controllerOf(statement.patientId), signature);

        state.emergencyLevel = statement.level;
        state.emergencyVersion = statement.version;
        emit EmergencyPreferenceSet(id, statement.patientId, statement.level, statement.version);
    }

    /// @inheritdoc IConsentRegistry
    function openEmergency(EmergencyOpening calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(EMERGENCY_OPENING_TYPE, statement));
        _requireInTime(id, statement.deadline);
        if (statement.categories == 0 || statement.categories & ~Vocabulary.ALL_CATEGORIES != 0) {
            revert CategoriesUnknown(statement.categories);
        }
        directory.controllerOf(statement.patientId);
        uint8 level = _patientStates[statement.patientId].emergencyLevel;
        if (_refuses(level, statement.lifeThreatening)) revert EmergencyRefused(statement.patientId, level);
        Emergency storage current = _emergencies[statement.patientId][statement.practitionerId];
        uint40 openedAt = uint40(block.timestamp);
        // An opening that does not reach further than the last one is a replay.
        uint40 earliest = current.until >= openedAt ? current.until + 1 : openedAt;
        if (statement.until < earliest || statement.until > openedAt + MAX_EMERGENCY) {
            revert EmergencyWindowInvalid(statement.until, earliest, openedAt + MAX_EMERGENCY);
        }
        (IDirectory.Standing state, address key,, uint8 role) = directory.standing(statement.practitionerId, openedAt);
        if (state != IDirectory.Standing.Good || (role != Vocabulary.DOCTOR && role != Vocabulary.NURSE)) {
            revert EmergencyNotEntitled(statement.practitionerId);
        }
        _requireSignedBy(id, key, signature);

        _emergencies[statement.patientId][statement.practitionerId] = Emergency({
            categories: statement.categories,
            openedAt: openedAt,
            until: statement.until,
            lifeThreatening: statement.lifeThreatening
        });
        emit EmergencyOpened(
            id,
            statement.patientId,
            statement.practitionerId,
            statement.categories,
            statement.lifeThreatening,
            statement.reasonHash,
            statement.until
        );
    }

    /// @inheritdoc IConsentRegistry
    function isPermitted(
        bytes32 patientId,
        bytes16 requester,
        uint8 action,
        uint8 category,
        uint8 purpose,
        uint40 moment
    ) external view returns (bool) {
        if (!Vocabulary.isCategory(category) || action > Vocabulary.WRITE) return false;
        (IDirectory.Standing state,, uint24 organisationId,) = directory.standing(requester, moment);
        if (state != IDirectory.Standing.Good) return false;

        uint40 bit = uint40(1) << category;
        bytes32 person = bytes32(requester);
        bytes32 house = bytes32(uint256(organisationId));
        Consent memory own = _consents[patientId][person][purpose];
        Consent memory shared = _consents[patientId][house][purpose];
        if ((own.denyMask | shared.denyMask) & bit != 0) return false;

        PatientState memory patient = _patientStates[patientId];
        return _permits(own, patient.epoch, action, bit, moment) || _permits(shared, patient.epoch, action, bit, moment)
            || _permitsByDelegate(patientId, person, own.version, patient.epoch, purpose, action, bit, moment)
            || _permitsByDelegate(patientId, house, shared.version, patient.epoch, purpose, action, bit, moment)
            || (purpose == Vocabulary.ETREAT && _permitsByEmergency(patientId, requester, patient, bit, moment));
    }

    /// @inheritdoc IConsentRegistry
    function consent(bytes32 patientId, bytes32 grantee, uint8 purpose) external view returns (Consent memory) {
        return _consents[patientId][grantee][purpose];
    }

    /// @inheritdoc IConsentRegistry
    function delegatedConsent(bytes32 patientId, bytes32 grantee, uint8 purpose)
        external
        view
        returns (DelegatedConsent memory)
    {
        return _delegatedConsents[patientId][grantee][purpose];
    }

    /// @inheritdoc IConsentRegistry
    function delegation(bytes32 patientId, address account) external view returns (DelegationState memory) {
        return _delegations[patientId][account];
    }

    /// @inheritdoc IConsentRegistry
    function patientState(bytes32 patientId) external view returns (PatientState memory) {
        return _patientStates[patientId];
    }

    /// @inheritdoc IConsentRegistry
    function emergency(bytes32 patientId, bytes16 practitionerId) external view returns (Emergency memory) {
        return _emergencies[patientId][practitionerId];
    }

    function _permits(Consent memory slot, uint24 epoch, uint8 action, uint40 bit, uint40 moment)
        private
        pure
        returns (bool)
    {
        uint40 mask = action == Vocabulary.WRITE ? slot.writeMask : slot.readMask;
        return mask & bit != 0 && slot.epoch == epoch && slot.notBefore <= moment && moment <= slot.notAfter;
    }

    function _permitsByDelegate(
        bytes32 patientId,
        bytes32 grantee,
        uint32 ownVersion,
        uint24 epoch,
        uint8 purpose,
        uint8 action,
        uint40 bit,
        uint40 moment
    ) private view returns (bool) {
        DelegatedConsent memory slot = _delegatedConsents[patientId][grantee][purpose];
        uint40 mask = action == Vocabulary.WRITE ? slot.writeMask : slot.readMask;
        // The newest statement wins: any later word of the patient about this grantee ends what a delegate gave.
        if (mask & bit == 0 || slot.version <= ownVersion || slot.epoch != epoch) return false;
        if (moment < slot.notBefore || moment > slot.notAfter) return false;
        DelegationState memory by = _delegations[patientId][slot.delegate];
        return by.series == slot.series && by.epoch == epoch && by.scope & bit != 0 && by.notBefore <= moment
            && moment <= by.notAfter;
    }

    function _permitsByEmergency(
        bytes32 patientId,
        bytes16 practitionerId,
        PatientState memory patient,
        uint40 bit,
        uint40 moment
    ) private view returns (bool) {
        Emergency memory open = _emergencies[patientId][practitionerId];
        return open.categories & bit != 0 && open.openedAt <= moment && moment <= open.until
            && !_refuses(patient.emergencyLevel, open.lifeThreatening);
    }

    function _refuses(uint8 level, bool lifeThreatening) private pure returns (bool) {
        return level == Vocabulary.EMERGENCY_NEVER
            || (level == Vocabulary.EMERGENCY_LIFE_THREATENING_ONLY && !lifeThreatening);
    }

    function _requireDelegate(bytes32 patientId, address signer) private view returns (DelegationState memory found) {
        found = _delegations[patientId][signer];
        if (
            found.scope == 0 || found.epoch != _patientStates[patientId].epoch || block.timestamp < found.notBefore
                || block.timestamp > found.notAfter
        ) revert SignerNotEntitled(patientId, signer);
    }

    function _requirePurpose(uint8 purpose) private pure {
        if (purpose >= Vocabulary.PURPOSE_COUNT) revert PurposeUnknown(purpose);
    }

    function _requireCategories(uint40 categories) private pure {
        if (categories & ~Vocabulary.KNOWN_CATEGORIES != 0) revert CategoriesUnknown(categories);
    }

    function _requireScope(uint40 scope, uint40 categories) private pure {
        if (categories & ~scope != 0) revert ScopeExceeded(scope, categories);
    }

    function _requireWindow(uint40 notBefore, uint40 notAfter) private pure {
        if (notAfter < notBefore) revert WindowInvalid(notBefore, notAfter);
    }

    function _requireEpoch(bytes32 patientId, uint24 epoch) private view {
        uint24 current = _patientStates[patientId].epoch;
        if (epoch != current) revert EpochStale(current, epoch);
    }

    function _later(uint32 a, uint32 b) private pure returns (uint32) {
        return a > b ? a : b;
    }
}

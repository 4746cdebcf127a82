// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatement} from "./IStatement.sol";

/// @title IConsentRegistry
/// @notice What patients allow and deny: one slot for each patient, grantee and purpose.
/// @dev A grantee is a practitioner (`bytes32(practitionerId)`, left-aligned) or an organisation
/// (`bytes32(uint256(organisationId))`, right-aligned). In every statement the sentence that the person read is the
/// EIP-712 field `string terms`; the contract receives its keccak-256 hash.
interface IConsentRegistry is IStatement {
    /// @notice Signed by the controller, or by a delegate within their scope. Sets the whole slot.
    struct ConsentGrant {
        bytes32 patientId;
        bytes32 grantee;
        uint8 purpose;
        uint40 readMask;
        uint40 writeMask;
        uint40 denyMask;
        uint40 notBefore;
        uint40 notAfter;
        uint32 version;
        uint24 epoch;
        address signer;
        uint40 deadline;
        bytes32 termsHash;
    }

    /// @notice Takes back what the slot permits and adds `denyMask` to what it denies. Has no deadline, needs no
    /// earlier grant, and never lifts a denial.
    struct ConsentRevocation {
        bytes32 patientId;
        bytes32 grantee;
        uint8 purpose;
        uint40 denyMask;
        uint32 version;
        address signer;
        bytes32 termsHash;
    }

    /// @notice Voids every permit and delegation of the patient before it; `epoch` is exactly the last plus one.
    struct TotalRevocation {
        bytes32 patientId;
        uint24 epoch;
        bytes32 termsHash;
    }

    /// @notice Lets `delegate` (a guardian, a carer) grant and revoke within `scope` until `notAfter`.
    struct Delegation {
        bytes32 patientId;
        address delegate;
        uint40 scope;
        uint40 notBefore;
        uint40 notAfter;
        uint32 version;
        uint24 epoch;
        uint40 deadline;
        bytes32 termsHash;
    }

    /// @notice Ends a delegation and all permits that the delegate gave.
    struct DelegationEnd {
        bytes32 patientId;
        address delegate;
        uint32 version;
        bytes32 termsHash;
    }

    /// @notice What the patient says beforehand about emergencies. `deadline` may be 0 where the level rises.
    struct EmergencyPreference {
        bytes32 patientId;
        uint8 level;
        uint32 version;
        uint40 deadline;
        bytes32 termsHash;
    }

    /// @notice Signed by a doctor or nurse who breaks the glass.
    struct EmergencyOpening {
        bytes32 patientId;
        bytes16 practitionerId;
        uint40 categories;
        bool lifeThreatening;
        bytes32 reasonHash;
        uint40 until;
        uint40 deadline;
    }

    /// @notice One consent slot: exactly 256 bits.
    struct Consent {
        uint40 readMask;
        uint40 writeMask;
        uint40 denyMask;
        uint40 notBefore;
        uint40 notAfter;
        uint32 version;
        uint24 epoch;
    }

    /// @notice Permits that a delegate gave; they live only as long as the delegation's `series`.
    struct DelegatedConsent {
        uint40 readMask;
        uint40 writeMask;
        uint40 notBefore;
        uint40 notAfter;
        uint32 version;
        uint24 epoch;
        address delegate;
        uint32 series;
    }

    /// @notice One delegation. `series` grows when it ends, which voids what hangs on it.
    struct DelegationState {
        uint40 scope;
        uint40 notBefore;
        uint40 notAfter;
        uint32 version;
        uint24 epoch;
        uint32 series;
    }

    /// @notice The patient's own slot.
    struct PatientState {
        uint24 epoch;
        uint8 emergencyLevel;
        uint32 emergencyVersion;
    }

    /// @notice One emergency access.
    struct Emergency {
        uint40 categories;
        uint40 openedAt;
        uint40 until;
        bool lifeThreatening;
    }

    event ConsentGranted(
        bytes32 indexed statement,
        bytes32 indexed patientId,
        bytes32 indexed grantee,
        uint8 purpose,
        uint40 readMask,
        uint40 writeMask,
        uint40 denyMask,
        uint40 notBefore,
        uint40 notAfter,
        uint32 version,
        address signer
    );
    event ConsentRevoked(
        bytes32 indexed statement,
        bytes32 indexed patientId,
        bytes32 indexed grantee,
        uint8 purpose,
        uint40 denyMask,
        uint32 version,
        address signer
    );
    event EpochAdvanced(bytes32 indexed statement, bytes32 indexed patientId, uint24 epoch);
    event Delegated(
        bytes32 indexed statement,
        bytes32 indexed patientId,
        address indexed delegate,
        uint40 scope,
        uint40 notBefore,
        uint40 notAfter,
        uint32 version
    );
    event DelegationEnded(
        bytes32 indexed statement, bytes32 indexed patientId, address indexed delegate, uint32 version
    );
    event EmergencyPreferenceSet(
        bytes32 indexed statement, bytes32 indexed patientId, uint8 level, uint32 version
    );
    event EmergencyOpened(
        bytes32 indexed statement,
        bytes32 indexed patientId,
        bytes16 indexed practitionerId,
        uint40 categories,
        bool lifeThreatening,
        bytes32 reasonHash,
        uint40 until
    );

    error PurposeUnknown(uint8 purpose);
    error CategoriesUnknown(uint40 categories);
    error WindowInvalid(uint40 notBefore, uint40 notAfter);
    error EpochStale(uint24 current, uint24 epoch);
    error SignerNotEntitled(bytes32 patientId, address signer);
    error ScopeExceeded(uint40 scope, uint40 categories);
    error ExpiryExceeded(uint40 limit, uint40 notAfter);
    error DelegateMayNotDeny();
    error DelegateInvalid(address delegate);
    error DeadlineRequired();
    error EmergencyLevelUnknown(uint8 level);
    error EmergencyRefused(bytes32 patientId, uint8 level);
    error EmergencyNotEntitled(bytes16 practitionerId);
    error EmergencyWindowInvalid(uint40 until, uint40 earliest, uint40 latest);

    function grant(ConsentGrant calldata statement, bytes calldata signature) external;

    function revoke(ConsentRevocation calldata statement, bytes calldata signature) external;

    function revokeAll(TotalRevocation calldata statement, bytes calldata signature) external;

    function delegate(Delegation calldata statement, bytes calldata signature) external;

    function endDelegation(DelegationEnd calldata statement, bytes calldata signature) external;

    function setEmergencyPreference(EmergencyPreference calldata statement, bytes calldata signature) external;

    function openEmergency(EmergencyOpening calldata statement, bytes calldata signature) external;

    /// @notice The rule, for writing, claims and reading alike: the requester is in good standing, nothing denies the
    /// category for the purpose, and a current permit of the patient, of a live delegate or of an open emergency
    /// covers it.
    /// @param requester The practitioner.
    /// @param action `Vocabulary.READ` or `Vocabulary.WRITE`.
    /// @param moment The second that is asked about; a caller off chain passes the later of its clock and the head.
    function isPermitted(
        bytes32 patientId,
        bytes16 requester,
        uint8 action,
        uint8 category,
        uint8 purpose,
        uint40 moment
    ) external view returns (bool);

    function consent(bytes32 patientId, bytes32 grantee, uint8 purpose) external view returns (Consent memory);

    function delegatedConsent(bytes32 patientId, bytes32 grantee, uint8 purpose)
        external
        view
        returns (DelegatedConsent memory);

    function delegation(bytes32 patientId, address account) external view returns (DelegationState memory);

    function patientState(bytes32 patientId) external view returns (PatientState memory);

    function emergency(bytes32 patientId, bytes16 practitionerId) external view returns (Emergency memory);
}

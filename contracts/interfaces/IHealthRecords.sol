// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDirectory} from "./IDirectory.sol";
import {IStatement} from "./IStatement.sol";

/// @title IHealthRecords
/// @notice That a record was made: by whom, when, of which category, and a salted commitment to what it says.
/// Nothing is ever overwritten: an amendment is a new record that supersedes, a retraction marks an entry in error.
interface IHealthRecords is IStatement {
    /// @notice Signed by the author. Its struct hash is the record's id.
    struct RecordEntry {
        bytes32 patientId;
        bytes16 author;
        uint8 category;
        uint8 purpose;
        bytes32 commitment;
        bytes32 supersedes;
        uint40 deadline;
    }

    /// @notice Signed by a practitioner of the organisation that made the record. Needs no consent: a mistake can be
    /// marked as one also after the patient withdrew.
    struct RecordRetraction {
        bytes32 recordId;
        bytes16 author;
        bytes32 reasonHash;
        uint40 deadline;
    }

    /// @notice What became of a record.
    enum Status {
        Unknown,
        Current,
        Superseded,
        EnteredInError
    }

    /// @notice A record as stored: exactly 256 bits. `patientTag` is the first 48 bits of the patient's pseudonym.
    struct HealthRecord {
        bytes16 author;
        uint24 organisationId;
        uint40 recordedAt;
        uint8 category;
        Status status;
        bytes6 patientTag;
    }

    event Recorded(
        bytes32 indexed statement,
        bytes32 indexed patientId,
        bytes16 indexed author,
        uint8 category,
        bytes32 commitment,
        bytes32 supersedes
    );
    event Retracted(
        bytes32 indexed statement, bytes32 indexed recordId, bytes16 indexed author, bytes32 reasonHash
    );

    error AuthorNotInGoodStanding(bytes16 author, IDirectory.Standing standing);
    error CategoryUnknown(uint8 category);
    error RoleMayNotWrite(uint8 role, uint8 category);
    error NotPermitted(bytes32 patientId, bytes16 author, uint8 category, uint8 purpose);
    error AlreadyRecorded(bytes32 recordId);
    error RecordNotCurrent(bytes32 recordId, Status status);
    error RecordMismatch(bytes32 recordId);

    function record(RecordEntry calldata statement, bytes calldata signature) external;

    function retract(RecordRetraction calldata statement, bytes calldata signature) external;

    function healthRecord(bytes32 recordId) external view returns (HealthRecord memory);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {IHealthRecords} from "./interfaces/IHealthRecords.sol";
import {Statement} from "./Statement.sol";
import {Vocabulary} from "./Vocabulary.sol";

/// @title HealthRecords
/// @notice See `IHealthRecords`.
contract HealthRecords is Statement, IHealthRecords {
    bytes32 private constant RECORD_ENTRY_TYPE = keccak256(
        "RecordEntry(bytes32 patientId,bytes16 author,uint8 category,uint8 purpose,bytes32 commitment,bytes32 supersedes,uint40 deadline)"
    );
    bytes32 private constant RECORD_RETRACTION_TYPE =
        keccak256("RecordRetraction(bytes32 recordId,bytes16 author,bytes32 reasonHash,uint40 deadline)");

    IDirectory public immutable directory;
    IConsentRegistry public immutable consents;

    mapping(bytes32 recordId => HealthRecord) private _records;

    constructor(IDirectory directory_, IConsentRegistry consents_) {
        directory = directory_;
        consents = consents_;
    }

    /// @inheritdoc IHealthRecords
    function record(RecordEntry calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(RECORD_ENTRY_TYPE, statement));
        _requireInTime(id, statement.deadline);
        if (_records[id].status != Status.Unknown) revert AlreadyRecorded(id);
        uint24 organisationId = _requireAuthor(id, statement.author, statement.category, signature);
        if (
            !consents.isPermitted(
                statement.patientId,
                statement.author,
                Vocabulary.WRITE,
                statement.category,
                statement.purpose,
                uint40(block.timestamp)
            )
        ) revert NotPermitted(statement.patientId, statement.author, statement.category, statement.purpose);
        if (statement.supersedes != bytes32(0)) _supersede(statement, organisationId);

        _records[id] = HealthRecord({
            author: statement.author,
            organisationId: organisationId,
            recordedAt: uint40(block.timestamp),
            category: statement.category,
            status: Status.Current,
            patientTag: bytes6(statement.patientId)
        });
        emit Recorded(
            id, statement.patientId, statement.author, statement.category, statement.commitment, statement.supersedes
        );
    }

    /// @inheritdoc IHealthRecords
    function retract(RecordRetraction calldata statement, bytes calldata signature) external {
        bytes32 id = keccak256(abi.encode(RECORD_RETRACTION_TYPE, statement));
        _requireInTime(id, statement.deadline);
        HealthRecord memory current = _requireCurrent(statement.recordId);
        uint24 organisationId = _requireAuthor(id, statement.author, current.category, signature);
        if (current.organisationId != organisationId) revert RecordMismatch(statement.recordId);

        _records[statement.recordId].status = Status.EnteredInError;
        emit Retracted(id, statement.recordId, statement.author, statement.reasonHash);
    }

    /// @inheritdoc IHealthRecords
    function healthRecord(bytes32 recordId) external view returns (HealthRecord memory) {
        return _records[recordId];
    }

    function _supersede(RecordEntry calldata statement, uint24 organisationId) private {
        HealthRecord memory earlier = _requireCurrent(statement.supersedes);
        if (
            earlier.patientTag != bytes6(statement.patientId) || earlier.category != statement.category
                || earlier.organisationId != organisationId
        ) revert RecordMismatch(statement.supersedes);
        _records[statement.supersedes].status = Status.Superseded;
    }

    function _requireCurrent(bytes32 recordId) private view returns (HealthRecord memory found) {
        found = _records[recordId];
        if (found.status != Status.Current) revert RecordNotCurrent(recordId, found.status);
    }

    function _requireAuthor(bytes32 statement, bytes16 author, uint8 category, bytes calldata signature)
        private
        view
        returns (uint24)
    {
        (IDirectory.Standing state, address key, uint24 organisationId, uint8 role) =
            directory.standing(author, uint40(block.timestamp));
        if (state != IDirectory.Standing.Good) revert AuthorNotInGoodStanding(author, state);
        if (!Vocabulary.isCategory(category)) revert CategoryUnknown(category);
        if ((Vocabulary.writableBy(role) >> category) & 1 == 0) revert RoleMayNotWrite(role, category);
        _requireSignedBy(statement, key, signature);
        return organisationId;
    }
}

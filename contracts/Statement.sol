// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IStatement} from "./interfaces/IStatement.sol";

/// @title Statement
/// @notice The checks that every signed statement passes: in time, and signed by whom it says (EOA or ERC-1271).
abstract contract Statement is EIP712, IStatement {
    uint256 internal constant MAX_VERSION_JUMP = 1000;

    constructor() EIP712("Blockchain Handshaker", "1") {}

    function _requireInTime(bytes32 statement, uint40 deadline) internal view {
        if (block.timestamp > deadline) revert StatementExpired(statement, deadline);
    }

    function _requireSignedBy(bytes32 statement, address signer, bytes calldata signature) internal view {
        if (!SignatureChecker.isValidSignatureNow(signer, _hashTypedDataV4(statement), signature)) {
            revert SignatureInvalid(statement, signer);
        }
    }

    function _requireNewer(uint256 current, uint256 version) internal pure {
        if (version <= current || version > current + MAX_VERSION_JUMP) revert VersionOutOfRange(current, version);
    }

    function _requireNext(uint256 current, uint256 version) internal pure {
        if (version != current + 1) revert VersionOutOfRange(current, version);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuditAnchor} from "./interfaces/IAuditAnchor.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";

/// @title AuditAnchor
/// @notice See `IAuditAnchor`.
contract AuditAnchor is IAuditAnchor {
    /// @notice Entries between two anchors at most, so that one stolen operator key cannot use up the counter.
    uint64 public constant MAX_GROWTH = 2 ** 32;

    IDirectory public immutable directory;

    uint64 private _size;
    bytes32 private _root;

    constructor(IDirectory directory_) {
        directory = directory_;
    }

    /// @inheritdoc IAuditAnchor
    function anchor(uint64 size, bytes32 root) external {
        if (!directory.isOperator(msg.sender)) revert NotOperator(msg.sender);
        if (size <= _size) revert SizeNotGrowing(_size, size);
        if (size - _size > MAX_GROWTH) revert GrowthTooLarge(_size, size);
        _size = size;
        _root = root;
        emit Anchored(size, root, msg.sender);
    }

    /// @inheritdoc IAuditAnchor
    function head() external view returns (uint64 size, bytes32 root) {
        return (_size, _root);
    }
}

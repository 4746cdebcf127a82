// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAuditAnchor
/// @notice The latest head of the audit log (RFC 9162): how many entries, and the Merkle root over them.
interface IAuditAnchor {
    event Anchored(uint64 indexed size, bytes32 indexed root, address indexed operator);

    error NotOperator(address account);
    error SizeNotGrowing(uint64 current, uint64 size);
    error GrowthTooLarge(uint64 current, uint64 size);

    function anchor(uint64 size, bytes32 root) external;

    function head() external view returns (uint64 size, bytes32 root);
}

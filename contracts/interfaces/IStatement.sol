// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IStatement
/// @notice What every contract that takes signed statements has in common. A statement is an EIP-712 struct; its
/// struct hash is its identity and the first indexed argument of the event that tells of its effect.
interface IStatement {
    /// @notice The statement's last second has passed.
    error StatementExpired(bytes32 statement, uint40 deadline);

    /// @notice The signature is not the signer's for this statement, this contract and this chain.
    error SignatureInvalid(bytes32 statement, address signer);

    /// @notice The version is not in (current, current + 1000]: an older or equal one is a replay, a farther one
    /// could use up the counter and so make every later revocation impossible.
    error VersionOutOfRange(uint256 current, uint256 version);
}

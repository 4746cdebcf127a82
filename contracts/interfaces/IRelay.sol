// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IRelay
/// @notice Carries a batch of signed statements in one transaction and keeps them apart: one that is rejected never
/// harms its neighbours. Anybody may call it, so a rejection means something only in a transaction of one's own.
interface IRelay {
    /// @notice One statement on its way: the call, and the gas that it may use.
    struct Item {
        address target;
        uint32 gasLimit;
        bytes data;
    }

    /// @notice What became of an item. A failure with an empty reason is *unknown*: out of gas, or a bare revert.
    struct Outcome {
        bool ok;
        bytes reason;
    }

    /// @notice Item `index` of this call failed; `reason` is at most the first 256 bytes of what it returned.
    event StatementRejected(uint256 indexed index, address indexed target, bytes4 indexed selector, bytes reason);

    /// @notice The relay was not deployed for this function.
    error CallNotAllowed(uint256 index, address target, bytes4 selector);

    /// @notice The gas that is left cannot promise the item its limit, so the whole batch is refused.
    error GasInsufficient(uint256 index, uint256 available, uint256 needed);

    /// @return outcomes One for each item, in order; with `eth_call` this asks about the batch without sending it.
    function relay(Item[] calldata items) external returns (Outcome[] memory outcomes);
}

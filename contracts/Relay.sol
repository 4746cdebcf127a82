// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {IHealthRecords} from "./interfaces/IHealthRecords.sol";
import {IRelay} from "./interfaces/IRelay.sol";

/// @title Relay
/// @notice See `IRelay`.
/// @dev Holds nothing: no storage, no ether, no rights. Whoever calls it can do no more than without it.
contract Relay is IRelay {
    uint256 private constant MAX_REASON = 256;

    /// @dev What is kept back for the bookkeeping after the call: the copy of the reason and its event.
    uint256 private constant RESERVE = 10_000;

    address private immutable _directory;
    address private immutable _consents;
    address private immutable _records;

    constructor(IDirectory directory, IConsentRegistry consents, IHealthRecords records) {
        _directory = address(directory);
        _consents = address(consents);
        _records = address(records);
    }

    /// @inheritdoc IRelay
    function relay(Item[] calldata items) external returns (Outcome[] memory outcomes) {
        outcomes = new Outcome[](items.length);
        for (uint256 i = 0; i < items.length; i++) {
            Item calldata item = items[i];
            bytes4 selector = bytes4(item.data);
            if (!_isAllowed(item.target, selector)) revert CallNotAllowed(i, item.target, selector);
            // Copied before the gas is counted: a long one costs more than the reserve.
            bytes memory data = item.data;
            // EIP-150: a call gets at most 63/64 of what is left.
            uint256 needed = uint256(item.gasLimit) * 64 / 63 + RESERVE;
            if (gasleft() < needed) revert GasInsufficient(i, gasleft(), needed);

            (bool ok, bytes memory reason) = _call(item.target, item.gasLimit, data);
            outcomes[i] = Outcome({ok: ok, reason: reason});
            if (!ok) emit StatementRejected(i, item.target, selector, reason);
        }
    }

    /// @dev Solidity's own call copies all that comes back, and a bomb would make the caller pay for it.
    function _call(address target, uint256 gasLimit, bytes memory data)
        private
        returns (bool ok, bytes memory reason)
    {
        assembly ("memory-safe") {
            ok := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
            reason := mload(0x40)
            let size := 0
            if iszero(ok) {
                size := returndatasize()
                if gt(size, MAX_REASON) { size := MAX_REASON }
                returndatacopy(add(reason, 0x20), 0, size)
            }
            mstore(reason, size)
            mstore(0x40, add(add(reason, 0x20), and(add(size, 0x1f), not(0x1f))))
        }
    }

    function _isAllowed(address target, bytes4 selector) private view returns (bool) {
        if (target == _records) {
            return selector == IHealthRecords.record.selector || selector == IHealthRecords.retract.selector;
        }
        if (target == _consents) {
            return selector == IConsentRegistry.grant.selector || selector == IConsentRegistry.revoke.selector
                || selector == IConsentRegistry.revokeAll.selector || selector == IConsentRegistry.delegate.selector
                || selector == IConsentRegistry.endDelegation.selector
                || selector == IConsentRegistry.setEmergencyPreference.selector
                || selector == IConsentRegistry.openEmergency.selector;
        }
        if (target == _directory) {
            return selector == IDirectory.registerOrganisation.selector
                || selector == IDirectory.registerPractitioner.selector
                || selector == IDirectory.registerPatient.selector || selector == IDirectory.rotateController.selector
                || selector == IDirectory.proposeRecovery.selector || selector == IDirectory.vetoRecovery.selector
                || selector == IDirectory.completeRecovery.selector || selector == IDirectory.appointOfficer.selector;
        }
        return false;
    }
}

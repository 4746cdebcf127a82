// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title HostileAccount
/// @notice A smart account (ERC-1271) that controls a patient's pseudonym. `Honest` accepts what its owner signed;
/// `Slow` does too, at the price of a curve computed in Solidity; the others abuse the moment in which they are asked.
/// Only tests deploy it.
contract HostileAccount {
    enum Manner {
        Honest,
        BurnsGas,
        ReturnsBomb,
        RevertsEmpty,
        AnswersWrongly,
        CallsBack,
        Slow
    }

    uint256 private constant SLOWNESS = 250_000;

    address private immutable _owner;
    Manner private immutable _manner;

    address private _relay;
    bytes private _payload;

    constructor(address owner, Manner manner) {
        _owner = owner;
        _manner = manner;
    }

    /// @notice Sets what `CallsBack` calls.
    function arm(address relay, bytes calldata payload) external {
        _relay = relay;
        _payload = payload;
    }

    /// @dev Not `view`, unlike the standard's: a hostile account may try more than it may do.
    function isValidSignature(bytes32 hash, bytes calldata signature) external returns (bytes4) {
        if (_manner == Manner.BurnsGas) {
            assembly {
                invalid()
            }
        }
        if (_manner == Manner.ReturnsBomb) {
            assembly {
                return(0, 100000)
            }
        }
        if (_manner == Manner.RevertsEmpty) {
            assembly {
                revert(0, 0)
            }
        }
        if (_manner == Manner.AnswersWrongly) return 0xffffffff;
        if (_manner == Manner.CallsBack) {
            (bool ok,) = _relay.call{gas: gasleft() / 2}(_payload);
            ok;
        }
        if (_manner == Manner.Slow) {
            for (uint256 start = gasleft(); start - gasleft() < SLOWNESS;) {}
        }
        return ECDSA.recover(hash, signature) == _owner ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

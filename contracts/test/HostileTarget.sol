// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title HostileTarget
/// @notice Stands where a contract of the project should stand and answers every statement in the one manner that it
/// was made for. Only tests deploy it.
contract HostileTarget {
    enum Manner {
        Obeys,
        BurnsGas,
        ReturnsBomb,
        RevertsWithBomb,
        RevertsEmpty,
        TellsGas,
        CallsBack
    }

    Manner private immutable _manner;

    /// @dev The bytes of a bomb.
    uint256 private immutable _size;

    address private _relay;
    bytes private _payload;

    constructor(Manner manner, uint256 size) {
        _manner = manner;
        _size = size;
    }

    /// @notice Sets what `CallsBack` calls.
    function arm(address relay, bytes calldata payload) external {
        _relay = relay;
        _payload = payload;
    }

    fallback() external {
        uint256 gasAtEntry = gasleft();
        Manner manner = _manner;
        uint256 size = _size;
        if (manner == Manner.BurnsGas) {
            assembly {
                invalid()
            }
        }
        if (manner == Manner.ReturnsBomb) {
            assembly {
                return(0, size)
            }
        }
        if (manner == Manner.RevertsWithBomb) {
            // Bytes that count up, so that a test sees which ones were copied.
            bytes memory bomb = new bytes(size);
            for (uint256 i = 0; i < size && i < 1024; i++) {
                bomb[i] = bytes1(uint8(i));
            }
            assembly {
                revert(add(bomb, 0x20), size)
            }
        }
        if (manner == Manner.RevertsEmpty) {
            assembly {
                revert(0, 0)
            }
        }
        if (manner == Manner.TellsGas) {
            assembly {
                mstore(0, gasAtEntry)
                revert(0, 0x20)
            }
        }
        if (manner == Manner.CallsBack) {
            (bool ok, bytes memory answer) = _relay.call(_payload);
            assembly {
                if iszero(ok) { revert(add(answer, 0x20), mload(answer)) }
            }
        }
    }
}

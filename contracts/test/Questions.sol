// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";

/// @title Questions
/// @notice Asks `isPermitted` about every combination in one call. Only tests deploy it.
contract Questions {
    /// @return answers One bit for each combination, the last list turning fastest: requester, action, category,
    /// purpose. At most 256 combinations.
    function ask(
        IConsentRegistry registry,
        bytes32 patientId,
        bytes16[] calldata requesters,
        uint8[] calldata categories,
        uint8[] calldata purposes,
        uint40 moment
    ) external view returns (uint256 answers) {
        uint256 bit = 1;
        for (uint256 r = 0; r < requesters.length; r++) {
            for (uint8 action = 0; action < 2; action++) {
                for (uint256 c = 0; c < categories.length; c++) {
                    for (uint256 p = 0; p < purposes.length; p++) {
                        if (registry.isPermitted(patientId, requesters[r], action, categories[c], purposes[p], moment))
                        {
                            answers |= bit;
                        }
                        bit <<= 1;
                    }
                }
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Vocabulary
/// @notice The numbers that contracts and Python share. `handshaker/vocabulary.py` holds the same ones with their
/// HL7 codes beside them, and a test compares the two.
library Vocabulary {
    // Actions of a requester on a patient's data.
    uint8 internal constant READ = 0;
    uint8 internal constant WRITE = 1;

    // Categories are bits of a 40-bit mask. 0 to 13 are general, 32 to 36 are sensitive, the others are reserved:
    // a consent signed today must not cover what is only invented tomorrow.
    uint8 internal constant DEMOGRAPHICS = 0;
    uint8 internal constant VITAL_SIGNS = 1;
    uint8 internal constant LABORATORY = 2;
    uint8 internal constant IMAGING = 3;
    uint8 internal constant MEDICATIONS = 4;
    uint8 internal constant PROBLEMS = 5;
    uint8 internal constant ALLERGIES = 6;
    uint8 internal constant IMMUNIZATIONS = 7;
    uint8 internal constant PROCEDURES = 8;
    uint8 internal constant NOTES = 9;
    uint8 internal constant BILLING = 10;
    uint8 internal constant DEVICES = 11;
    uint8 internal constant GENOMICS = 12;
    uint8 internal constant CARE_PLANS = 13;
    uint8 internal constant PSYCHIATRY = 32;
    uint8 internal constant SUBSTANCE_USE = 33;
    uint8 internal constant SEXUAL_HEALTH = 34;
    uint8 internal constant DOMESTIC_VIOLENCE = 35;
    uint8 internal constant RESTRICTED = 36;

    /// @notice What "all categories" means: never a sensitive one.
    uint40 internal constant ALL_CATEGORIES = (1 << 14) - 1;
    uint40 internal constant SENSITIVE_CATEGORIES = uint40(0x1F) << 32;
    uint40 internal constant KNOWN_CATEGORIES = ALL_CATEGORIES | SENSITIVE_CATEGORIES;

    // Purposes of use, HL7 v3-ActReason.
    uint8 internal constant TREAT = 0;
    uint8 internal constant HPAYMT = 1;
    uint8 internal constant HOPERAT = 2;
    uint8 internal constant HRESCH = 3;
    uint8 internal constant PUBHLTH = 4;
    uint8 internal constant PATRQT = 5;
    uint8 internal constant ETREAT = 6;
    uint8 internal constant PURPOSE_COUNT = 7;

    // Roles of a practitioner. 0 is no role.
    uint8 internal constant DOCTOR = 1;
    uint8 internal constant NURSE = 2;
    uint8 internal constant PATHOLOGIST = 3;
    uint8 internal constant PHARMACIST = 4;
    uint8 internal constant INSURER = 5;
    uint8 internal constant RESEARCHER = 6;
    uint8 internal constant AUDITOR = 7;
    uint8 internal constant DEVICE = 8;
    uint8 internal constant ROLE_COUNT = 9;

    // Duties of an officer.
    uint8 internal constant ADMINISTRATOR = 1;
    uint8 internal constant OPERATOR = 2;
    uint8 internal constant CUSTODIAL = 128;
    uint8 internal constant KNOWN_DUTIES = ADMINISTRATOR | OPERATOR | CUSTODIAL;

    // What a patient says beforehand about emergency access.
    uint8 internal constant EMERGENCY_ALLOWED = 0;
    uint8 internal constant EMERGENCY_LIFE_THREATENING_ONLY = 1;
    uint8 internal constant EMERGENCY_NEVER = 2;

    uint40 internal constant DOCTOR_WRITES = KNOWN_CATEGORIES;
    uint40 internal constant NURSE_WRITES = uint40(
        (1 << DEMOGRAPHICS) | (1 << VITAL_SIGNS) | (1 << ALLERGIES) | (1 << IMMUNIZATIONS) | (1 << PROCEDURES)
            | (1 << NOTES) | (1 << DEVICES) | (1 << CARE_PLANS)
    );
    uint40 internal constant PATHOLOGIST_WRITES = uint40((1 << LABORATORY) | (1 << GENOMICS));
    uint40 internal constant PHARMACIST_WRITES = uint40((1 << MEDICATIONS) | (1 << IMMUNIZATIONS));
    uint40 internal constant DEVICE_WRITES = uint40((1 << VITAL_SIGNS) | (1 << DEVICES));
    uint40 internal constant INSURER_WRITES = uint40(1 << BILLING);

    /// @return The categories that `role` may write, as a mask; 0 for a role that writes nothing.
    function writableBy(uint8 role) internal pure returns (uint40) {
        if (role == DOCTOR) return DOCTOR_WRITES;
        if (role == NURSE) return NURSE_WRITES;
        if (role == DEVICE) return DEVICE_WRITES;
        if (role == PATHOLOGIST) return PATHOLOGIST_WRITES;
        if (role == PHARMACIST) return PHARMACIST_WRITES;
        if (role == INSURER) return INSURER_WRITES;
        return 0;
    }

    /// @return Whether `category` is a bit that has a meaning.
    function isCategory(uint8 category) internal pure returns (bool) {
        return category < 40 && (KNOWN_CATEGORIES >> category) & 1 == 1;
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The journal's ids of mcid's messages: `journalctl MESSAGE_ID=…` finds them even if the text
/// changes.
package enum MessageID {
    /// A 128-bit id in hexadecimal for each message text; an id never changes and is never reused.
    package static let all = [
        "Started": "2ecafe889235493e9548ac642515ae13",
        "Stopped": "1fb8c8e79d7344e08767c69928901d1f",
        "State changed": "c4c801dbbd574941886b72203a8398b9",
        "Started without a sandbox, for debugging only": "0dac8cb79a384546b0a6d440eceac4c3",
        "The sandbox does not hold, so mcid exits": "9e29fa17396747d688ddeeee60748510",
        "Controls or settings cannot be used": "e2fdd070697a40a0a15ba0e2a0ab9e55",
        "The end of the pause could not be written, so the pause continues":
            "88271e64f34b4f169d4fa8983e70e9ce",
        "X server lost": "d38bf13616224facae6885f1a1d9bd3c",
        "X server could not be reached": "cf11a23b319f453593861e8d27aa15ea",
        "The disk is nearly full, so nothing is recorded": "5fcb85107e174222a65e64a9f176696e",
        "The disk has room again": "2e0b9dcd10e64bbda13bbcd06b261dd0",
        "The ring cannot be opened": "a5d4adeecf3f438f9f22c4ac057d81fa",
        "The ring was rebuilt": "ee2ab48641444b40a9c69bbc6201a297",
        "The ring cannot be rebuilt yet": "7ab2363b6c80428b99a2d17da7bbfe01",
        "A batch could not be stored yet": "3aee3676a0054f919e3fafbc8000bd5a",
        "Batches are missing from the ring": "d7f9b8d583824ba7b110af5ba69067b0",
        "Batches expired": "ab5b1efc48074dfdbc08deb62d2e73ba",
        "Erasing is not finished": "2f49ca05859c49fc9efb2bb31262d600",
        "Erasing continues with a new ring": "8419c600832d4553ae29dd5c232f9281",
        "The open batch could not be locked into memory": "1d8d2bc57d874b2cb3b5667b9079949c",
        "A steward's decision was imported": "dec9444a26184a2ea18a9349034de9d8",
        "Exclusions changed": "80abbfe96b114507a0767a5667548bba",
        "Exemption answered": "f53fac311f4e4e47807f505c70b98bc0",
        "Exemption added": "ec1598bfc74647068b9c5f227fc34cb8",
        "The end of an exemption could not be written, so it stays in force":
            "6d014e9c6c164e4ba2e6af542a1d3e07",
        "The policy cannot be used": "447ac9e47aa34e37aba58a18fe3cf7a6",
        "An exemption ran out": "6f971157d91e4b188de381b5b47cd0ec",
        "A demonstration began": "db6004b5cd3641048d1355cd61ac2051",
        "A demonstration ended": "6a9c5a3e2495473c8324541de6df9495",
        "Controls were put back": "5ec2a3f5c9e24ecc9fdde02e0a7ebeb0",
        "Controls of the previous version were adopted":
            "0f9e90033f954660bf86f0685a5d9205",
        "The accounts file is not the one last written":
            "a180730e0da040a5b300e2663a8d2cfa",
        "The accounts of an earlier version counted keys and were dropped":
            "cc69ee7c6b534b93ba0affe66f4bf0a8",
        "The ring was put back to an older state": "d0953e0d9c574be6b48da6bb397d9698",
        "The ring's file was removed": "0c127316f499467ea0e7498b80116a02",
        "The ring's head was removed or damaged": "bc2e24dde9f2454aa1116da9311653d6",
        "Rows of the ring are damaged; their contents are kept": "ce093b11a77c451197e8efe92cb4ad29",
        "The ring is damaged and is being rebuilt from its rows":
            "3258a6438a464a59b021291b353b16b0",
        "The ring of an earlier version was set aside": "8f1bdb4df22b46ebbd025468e35a2e3f",
        "The ring cannot be checked yet": "44bc20052e104fdcb2f0cada4d410766",
        "The wall clock is in doubt, so nothing is erased by age yet":
            "50db2c3844cb458b8989e73f04588b87",
        "The ring's files changed unexpectedly": "61afdf86596546ab885c2ef20687dd3c",
        LogBudget.sentence: "52db47bccdde4bd6a7a4f2ac8a2d6f4c",
    ]
}

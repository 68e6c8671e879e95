-- SPDX-License-Identifier: MIT
-- The identity platform's signing keys as it published them, one row for each place they come from
-- (a SHA-256 hash), so that one worker asks for them and all others read them here. sealed is
-- Fernet-encrypted: who can write here must not be able to say which keys sign.
-- asking_until: until when somebody asks; unknown_until: until when nobody asks again on account of
-- a key id that was not among them.
CREATE TABLE IF NOT EXISTS signing_keys (
    source CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    sealed MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NULL,
    fetched_at DATETIME(6) NULL,
    asking_until DATETIME(6) NOT NULL,
    unknown_until DATETIME(6) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

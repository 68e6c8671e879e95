-- SPDX-License-Identifier: MIT
-- What a sign-in needs between its steps. Every secret is kept as a SHA-256 hash (base64url), or
-- Fernet-encrypted where it is needed again.

-- One authorization request under way: found by its state, bound to a browser by a cookie.
CREATE TABLE IF NOT EXISTS login_states (
    state_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    browser_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    realm VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    sealed TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    return_to TEXT NULL,
    expires_at DATETIME(6) NOT NULL,
    KEY expires_at (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A finished sign-in, until the site's page exchanges it for its JWTs. sealed says once more whose it
-- is: who can write here must not be able to sign in as somebody else.
CREATE TABLE IF NOT EXISTS session_codes (
    code_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    realm VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sealed TEXT CHARACTER SET ascii COLLATE ascii_bin NULL,
    expires_at DATETIME(6) NOT NULL,
    KEY expires_at (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One line of refresh tokens that follow each other; only the newest, current_id, may be used.
CREATE TABLE IF NOT EXISTS refresh_families (
    family_id CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    current_id CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    realm VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    KEY expires_at (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

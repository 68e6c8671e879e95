-- SPDX-License-Identifier: MIT
-- key_fingerprint: which Fernet key encrypted the row; NULL: nobody has looked yet.
-- seal: an HMAC that binds the row's tokens to its owner (base64url); NULL: imported, not sealed.
-- connected_at: set by each connect. NULL in rows that came another way (from before this column, or by
-- an import), of which created_at counts: so it has no default, which would make an imported row new.
ALTER TABLE microsoft_oauth_tokens
    ADD COLUMN IF NOT EXISTS key_fingerprint CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS seal CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS connected_at DATETIME NULL,
    ADD KEY IF NOT EXISTS key_fingerprint (key_fingerprint),
    ADD KEY IF NOT EXISTS active_updated (is_active, updated_at);

ALTER TABLE beta_microsoft_oauth_tokens
    ADD COLUMN IF NOT EXISTS key_fingerprint CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS seal CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS connected_at DATETIME NULL,
    ADD KEY IF NOT EXISTS key_fingerprint (key_fingerprint),
    ADD KEY IF NOT EXISTS active_updated (is_active, updated_at);

-- SPDX-License-Identifier: MIT
-- access_seal: an HMAC that binds the access token alone to its owner (base64url), so that a request that
-- needs no more reads no more; NULL: no seal either, or a row that was written before this column was.
ALTER TABLE microsoft_oauth_tokens
    ADD COLUMN IF NOT EXISTS access_seal CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL;

ALTER TABLE beta_microsoft_oauth_tokens
    ADD COLUMN IF NOT EXISTS access_seal CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL;

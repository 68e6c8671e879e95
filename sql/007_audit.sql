-- SPDX-License-Identifier: MIT
-- Who did what, when, from where, and how it ended: one row a use of a token, a change of state or
-- an administrator's look. Only added to. id (a UUID of version 7) and at are the worker's, so that
-- mac (HMAC-SHA256, base64url) covers them too. All of it is printable ASCII.
CREATE TABLE IF NOT EXISTS audit_log (
    id CHAR(36) NOT NULL PRIMARY KEY,
    at DATETIME(6) NOT NULL,
    event VARCHAR(32) NOT NULL,
    realm VARCHAR(16) NULL,
    subject VARCHAR(64) NULL,
    actor VARCHAR(128) NULL,
    address VARCHAR(45) NULL,
    request_id VARCHAR(64) NULL,
    result VARCHAR(64) NOT NULL,
    detail VARCHAR(255) NULL,
    key_fingerprint CHAR(8) NOT NULL,
    mac CHAR(43) NOT NULL,
    KEY subject (realm, subject)
) ENGINE=InnoDB DEFAULT CHARSET=ascii COLLATE=ascii_bin;

-- Spans of the log that are over: seal N covers what stands behind last_id of seal N-1 up to its own
-- last_id. listing has id and mac of each of its rows, rows_hash is its SHA-256; mac covers all but
-- the listing, and with previous the seal before. What retention has removed leaves its seal without
-- the listing, and removed_*, which removed_mac covers.
CREATE TABLE IF NOT EXISTS audit_seals (
    number BIGINT NOT NULL PRIMARY KEY,
    first_id CHAR(36) NOT NULL,
    last_id CHAR(36) NOT NULL,
    row_count INT NOT NULL,
    rows_hash CHAR(43) NOT NULL,
    previous CHAR(43) NOT NULL,
    made_at DATETIME(6) NOT NULL,
    made_by VARCHAR(128) NOT NULL,
    key_fingerprint CHAR(8) NOT NULL,
    mac CHAR(43) NOT NULL,
    listing MEDIUMTEXT NULL,
    removed_at DATETIME(6) NULL,
    removed_by VARCHAR(128) NULL,
    removed_fingerprint CHAR(8) NULL,
    removed_mac CHAR(43) NULL
) ENGINE=InnoDB DEFAULT CHARSET=ascii COLLATE=ascii_bin;

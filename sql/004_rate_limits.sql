-- SPDX-License-Identifier: MIT
-- One row a key: how many were let in during the window numbered `win`, and during the one before.
-- `admitted` is the answer to the request that wrote the row last.
CREATE TABLE IF NOT EXISTS rate_limits (
    k VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    win BIGINT NOT NULL,
    used BIGINT NOT NULL,
    prev BIGINT NOT NULL,
    admitted BOOLEAN NOT NULL,
    ends_at DATETIME NOT NULL,
    KEY ends_at (ends_at)
) ENGINE=InnoDB DEFAULT CHARSET=ascii COLLATE=ascii_bin;

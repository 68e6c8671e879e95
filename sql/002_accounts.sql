-- SPDX-License-Identifier: MIT
-- Local accounts. The key is tenant_id + microsoft_id (the claims tid and oid): an e-mail address
-- can be changed by its owner, and forged by another tenant's administrator.
CREATE TABLE IF NOT EXISTS users (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    tenant_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    microsoft_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    email VARCHAR(320) NULL,
    full_name VARCHAR(255) NULL,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    UNIQUE KEY microsoft_identity (tenant_id, microsoft_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS beta_teachers (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    tenant_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    microsoft_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    email VARCHAR(320) NULL,
    full_name VARCHAR(255) NULL,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    UNIQUE KEY microsoft_identity (tenant_id, microsoft_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A site may have users of its own, who have no Microsoft identity until they sign in with one.
ALTER TABLE users
    ADD COLUMN IF NOT EXISTS tenant_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS microsoft_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS email VARCHAR(320) NULL,
    ADD COLUMN IF NOT EXISTS full_name VARCHAR(255) NULL,
    ADD UNIQUE KEY IF NOT EXISTS microsoft_identity (tenant_id, microsoft_id);

ALTER TABLE beta_teachers
    ADD COLUMN IF NOT EXISTS tenant_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS microsoft_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN IF NOT EXISTS email VARCHAR(320) NULL,
    ADD COLUMN IF NOT EXISTS full_name VARCHAR(255) NULL,
    ADD UNIQUE KEY IF NOT EXISTS microsoft_identity (tenant_id, microsoft_id);

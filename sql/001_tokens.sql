-- SPDX-License-Identifier: MIT
-- The Microsoft tokens of each realm. IF NOT EXISTS: the service that graphgate replaces may have
-- left these tables behind; then only what is new is added.
CREATE TABLE IF NOT EXISTS microsoft_oauth_tokens (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT NOT NULL,
    access_token MEDIUMTEXT NULL,
    refresh_token MEDIUMTEXT NULL,
    id_token MEDIUMTEXT NULL,
    token_type VARCHAR(50) NOT NULL DEFAULT 'Bearer',
    expires_at DATETIME NOT NULL,
    scope TEXT NULL,
    microsoft_id VARCHAR(255) NULL,
    microsoft_email VARCHAR(320) NULL,
    tenant_id VARCHAR(255) NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    last_used_at DATETIME NULL,
    created_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    UNIQUE KEY user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS beta_microsoft_oauth_tokens (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    teacher_id CHAR(36) NOT NULL,
    access_token MEDIUMTEXT NULL,
    refresh_token MEDIUMTEXT NULL,
    id_token MEDIUMTEXT NULL,
    token_type VARCHAR(50) NOT NULL DEFAULT 'Bearer',
    expires_at DATETIME NOT NULL,
    scope TEXT NULL,
    microsoft_id VARCHAR(255) NULL,
    microsoft_email VARCHAR(320) NULL,
    tenant_id VARCHAR(255) NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    last_used_at DATETIME NULL,
    created_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    UNIQUE KEY teacher_id (teacher_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Columns that are there already may be too narrow for an encrypted token of 64 KiB, or have no
-- defaults: those were the old service's own.
-- refresh_lease: who refreshes now, NULL when nobody does; it counts until refresh_lease_until.
-- refresh_failure: what the last refresh failed with, for all who ask before refresh_failed_until.
-- refresh_after: until when a token that never lives long is not refreshed again.
-- inactive_reason: Microsoft's error word, when is_active is false.
ALTER TABLE microsoft_oauth_tokens
    MODIFY COLUMN access_token MEDIUMTEXT NULL,
    MODIFY COLUMN created_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP,
    MODIFY COLUMN updated_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP
        ON UPDATE CURRENT_TIMESTAMP,
    MODIFY COLUMN refresh_token MEDIUMTEXT NULL,
    MODIFY COLUMN id_token MEDIUMTEXT NULL,
    MODIFY COLUMN scope TEXT NULL,
    MODIFY COLUMN microsoft_email VARCHAR(320) NULL,
    ADD COLUMN IF NOT EXISTS refresh_lease CHAR(22) CHARACTER SET ascii NULL,
    ADD COLUMN IF NOT EXISTS refresh_lease_until DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS refresh_failure VARCHAR(40) CHARACTER SET ascii NULL,
    ADD COLUMN IF NOT EXISTS refresh_failed_until DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS refresh_after DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS inactive_reason VARCHAR(64) NULL,
    ADD UNIQUE KEY IF NOT EXISTS user_id (user_id);

ALTER TABLE beta_microsoft_oauth_tokens
    MODIFY COLUMN access_token MEDIUMTEXT NULL,
    MODIFY COLUMN created_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP,
    MODIFY COLUMN updated_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP
        ON UPDATE CURRENT_TIMESTAMP,
    MODIFY COLUMN refresh_token MEDIUMTEXT NULL,
    MODIFY COLUMN id_token MEDIUMTEXT NULL,
    MODIFY COLUMN scope TEXT NULL,
    MODIFY COLUMN microsoft_email VARCHAR(320) NULL,
    ADD COLUMN IF NOT EXISTS refresh_lease CHAR(22) CHARACTER SET ascii NULL,
    ADD COLUMN IF NOT EXISTS refresh_lease_until DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS refresh_failure VARCHAR(40) CHARACTER SET ascii NULL,
    ADD COLUMN IF NOT EXISTS refresh_failed_until DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS refresh_after DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS inactive_reason VARCHAR(64) NULL,
    ADD UNIQUE KEY IF NOT EXISTS teacher_id (teacher_id);

-- SPDX-License-Identifier: MIT
-- What the worker's database user needs, and no more. Replace @DB@ and @USER@ ('name'@'host'), and
-- run it as an administrator after `graphgatectl migrate`.
GRANT SELECT, INSERT, UPDATE, DELETE ON `@DB@`.microsoft_oauth_tokens TO @USER@;
GRANT SELECT, INSERT, UPDATE, DELETE ON `@DB@`.beta_microsoft_oauth_tokens TO @USER@;
GRANT SELECT, INSERT, UPDATE ON `@DB@`.users TO @USER@;
GRANT SELECT, INSERT, UPDATE ON `@DB@`.beta_teachers TO @USER@;
GRANT SELECT, INSERT, DELETE ON `@DB@`.login_states TO @USER@;
GRANT SELECT, INSERT, DELETE ON `@DB@`.session_codes TO @USER@;
GRANT SELECT, INSERT, UPDATE, DELETE ON `@DB@`.refresh_families TO @USER@;
GRANT SELECT, INSERT, UPDATE, DELETE ON `@DB@`.rate_limits TO @USER@;
GRANT SELECT, INSERT, UPDATE ON `@DB@`.signing_keys TO @USER@;
GRANT SELECT ON `@DB@`.schema_migrations TO @USER@;
-- Of the audit the worker only adds: what is removed is an administrator's to remove.
GRANT SELECT, INSERT ON `@DB@`.audit_log TO @USER@;
GRANT SELECT, INSERT ON `@DB@`.audit_seals TO @USER@;

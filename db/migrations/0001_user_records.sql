-- The records that belong to exactly one user each. Every table forces row security: even the owner of the tables (the
-- app's service principal) sees only the rows of the user that its transaction has named, and no row when it has named
-- none. The setting is '' rather than null after the first transaction of a connection, hence nullif.

CREATE FUNCTION current_app_user() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lakefront.user_id', true), '');

CREATE TABLE user_preferences (
    user_id          text        NOT NULL CHECK (user_id <> ''),
    preference_key   text        NOT NULL CHECK (preference_key ~ '^[A-Za-z0-9._-]{1,100}$'),
    preference_value json        NOT NULL,  -- json, not jsonb: it comes back as it went in, numbers and order included
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, preference_key)
);

CREATE TABLE user_configurations (
    user_id             text        NOT NULL CHECK (user_id <> ''),
    configuration_key   text        NOT NULL CHECK (configuration_key ~ '^[A-Za-z0-9._-]{1,100}$'),
    configuration_value json        NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, configuration_key)
);

CREATE TABLE application_state (
    user_id     text        NOT NULL CHECK (user_id <> ''),
    state_key   text        NOT NULL CHECK (state_key ~ '^[A-Za-z0-9._-]{1,100}$'),
    state_value json        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, state_key)
);

-- Random ids: a counter would tell one user how much the others do.
CREATE TABLE model_inference_logs (
    user_id           text             NOT NULL CHECK (user_id <> ''),
    inference_id      uuid             NOT NULL DEFAULT gen_random_uuid(),
    request_id        text             NOT NULL,
    endpoint_name     text             NOT NULL,
    model_name        text,
    model_version     text,
    inputs            json,
    predictions       json,
    status            text             NOT NULL CHECK (status IN ('SUCCESS', 'ERROR', 'TIMEOUT')),
    execution_time_ms double precision NOT NULL CHECK (execution_time_ms >= 0),
    error_message     text,
    created_at        timestamptz      NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, inference_id)
);
CREATE INDEX model_inference_logs_newest ON model_inference_logs (user_id, created_at DESC, inference_id);

CREATE TABLE audit_log (
    user_id      text        NOT NULL CHECK (user_id <> ''),
    audit_id     uuid        NOT NULL DEFAULT gen_random_uuid(),
    action       text        NOT NULL CHECK (action IN ('CREATE', 'UPDATE', 'DELETE')),
    record_type  text        NOT NULL,
    record_key   text        NOT NULL,
    value_before json,
    value_after  json,
    request_id   text        NOT NULL,
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, audit_id)
);
CREATE INDEX audit_log_newest ON audit_log (user_id, changed_at DESC, audit_id);

ALTER TABLE user_preferences ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_preferences FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON user_preferences USING (user_id = current_app_user()) WITH CHECK (user_id = current_app_user());

ALTER TABLE user_configurations ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_configurations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON user_configurations USING (user_id = current_app_user()) WITH CHECK (user_id = current_app_user());

ALTER TABLE application_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE application_state FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON application_state USING (user_id = current_app_user()) WITH CHECK (user_id = current_app_user());

-- What has been logged stays: there is a policy to read and one to add, none to change or delete, and the privileges are
-- taken from the owner too, so that an attempt is an error and not merely without effect.
ALTER TABLE model_inference_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_inference_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY read_own ON model_inference_logs FOR SELECT USING (user_id = current_app_user());
CREATE POLICY add_own ON model_inference_logs FOR INSERT WITH CHECK (user_id = current_app_user());
REVOKE UPDATE, DELETE, TRUNCATE ON model_inference_logs FROM CURRENT_USER;

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY read_own ON audit_log FOR SELECT USING (user_id = current_app_user());
CREATE POLICY add_own ON audit_log FOR INSERT WITH CHECK (user_id = current_app_user());
REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM CURRENT_USER;

-- Dead letters whose day is over: with what was to be sent, and without their event and attempts.
CREATE TABLE dead_letter (
    id            uuid     PRIMARY KEY,
    event_id      uuid     NOT NULL,
    user_id       bigint,
    lane_id       uuid     NOT NULL,
    channel       text     NOT NULL,
    recipient_id  uuid     NOT NULL,
    event_type    text     NOT NULL,
    body          bytea,
    reason        text,
    position      smallint NOT NULL,
    attempts      integer  NOT NULL,
    claim         integer  NOT NULL,
    status_code   smallint,
    error         text,
    created_at    bigint   NOT NULL,
    finished_at   bigint   NOT NULL
);
CREATE INDEX dead_letter_by_age ON dead_letter (finished_at);
CREATE INDEX dead_letter_by_user ON dead_letter (user_id, id);
CREATE INDEX dead_letter_by_lane ON dead_letter (lane_id, id);
CREATE INDEX dead_letter_by_event ON dead_letter (event_id);

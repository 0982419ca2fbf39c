-- A browser that takes push messages. Its lane is its push service's.
CREATE TABLE push_subscription (
    id         uuid   PRIMARY KEY,
    endpoint   text   NOT NULL UNIQUE,
    lane_id    uuid   NOT NULL,
    p256dh     bytea  NOT NULL,
    auth       bytea  NOT NULL,
    user_id    bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE INDEX push_subscription_by_user ON push_subscription (user_id) WHERE user_id IS NOT NULL;

-- Somebody who gets what is announced, by a chat.
CREATE TABLE subscriber (
    id         uuid    PRIMARY KEY,
    user_id    bigint,
    chat_id    text    UNIQUE,
    name       text,
    active     boolean NOT NULL DEFAULT true,
    created_at bigint  NOT NULL,
    updated_at bigint  NOT NULL
);
CREATE INDEX subscriber_by_user ON subscriber (user_id) WHERE user_id IS NOT NULL;
-- What a broadcast walks along.
CREATE INDEX subscriber_with_chat ON subscriber (id) WHERE active AND chat_id IS NOT NULL;

CREATE TABLE notice (
    id         uuid   PRIMARY KEY,
    title      text   NOT NULL,
    message    text   NOT NULL,
    kind       text   NOT NULL,
    url        text,
    created_at bigint NOT NULL
);
CREATE INDEX notice_by_kind ON notice (kind);

CREATE TABLE placement (
    id         uuid   PRIMARY KEY,
    student    text   NOT NULL,
    company    text   NOT NULL,
    role       text,
    package    double precision,
    placed_on  text,
    created_at bigint NOT NULL
);
CREATE INDEX placement_by_company ON placement (company, student, package);

-- A message on its way to every recipient of a channel whose id is smaller than its own: pages of deliveries behind a cursor.
CREATE TABLE broadcast (
    id          uuid   PRIMARY KEY,
    event_id    uuid   NOT NULL,
    channel     text   NOT NULL,
    notice_id   uuid,
    state       text   NOT NULL DEFAULT 'running',
    cursor      uuid   NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    total       bigint NOT NULL,
    queued      bigint NOT NULL,
    created_at  bigint NOT NULL,
    finished_at bigint
);
-- A notice is announced once on a channel.
CREATE UNIQUE INDEX broadcast_of_notice ON broadcast (notice_id, channel) WHERE notice_id IS NOT NULL;
CREATE INDEX broadcast_running ON broadcast (id) WHERE state = 'running';
CREATE INDEX broadcast_by_event ON broadcast (event_id);

-- How many parts of a message are out, of deliveries that failed in the midst.
CREATE TABLE delivery_progress (
    id    uuid     PRIMARY KEY,
    parts smallint NOT NULL
);

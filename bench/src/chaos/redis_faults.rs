//! Faults injected through Redis. Each has a counterpart that removes it; dropped data stays dropped.

use testkit::servers::OwnRedis;

use super::fault::Fault;

/// Where no server listens.
const NOWHERE: [&str; 2] = ["127.0.0.1", "1"];
const NAMESPACE: &str = "hookyard*";
/// The value of keys that were given a wrong type.
const WRONG: &str = "of a wrong type";
/// Gives every key of the namespace that is no string the value of `ARGV[2]`.
const SPOIL: &str = "local cursor = '0'
    repeat
        local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
        cursor = found[1]
        for _, key in ipairs(found[2]) do
            if redis.call('TYPE', key).ok ~= 'string' then redis.call('SET', key, ARGV[2]) end
        end
    until cursor == '0'";
/// Deletes every key of the namespace that has the value of `ARGV[2]`.
const MEND: &str = "local cursor = '0'
    repeat
        local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
        cursor = found[1]
        for _, key in ipairs(found[2]) do
            if redis.call('TYPE', key).ok == 'string' and redis.call('GET', key) == ARGV[2] then
                redis.call('DEL', key)
            end
        end
    until cursor == '0'";

/// Makes a fault, or makes it again while it is held.
pub(super) async fn make(redis: &OwnRedis, fault: Fault) {
    match fault {
        Fault::FlushRedis => redis.flush().await,
        Fault::RedisOutOfMemory => set(redis, "maxmemory", "1mb").await,
        Fault::RedisReadOnly => redis.ask(&["REPLICAOF", NOWHERE[0], NOWHERE[1]]).await,
        Fault::RedisWithoutReplicas => set(redis, "min-replicas-to-write", "1").await,
        Fault::KillRedisClients => {
            for kind in ["normal", "pubsub"] {
                redis.ask::<()>(&["CLIENT", "KILL", "TYPE", kind]).await;
            }
        }
        Fault::RedisWrongTypes => redis.ask(&["EVAL", SPOIL, "0", NAMESPACE, WRONG]).await,
        _ => {}
    }
}

/// Undoes it.
pub(super) async fn undo(redis: &OwnRedis, fault: Fault) {
    match fault {
        Fault::RedisOutOfMemory => set(redis, "maxmemory", "0").await,
        Fault::RedisReadOnly => redis.ask(&["REPLICAOF", "NO", "ONE"]).await,
        Fault::RedisWithoutReplicas => set(redis, "min-replicas-to-write", "0").await,
        Fault::RedisWrongTypes => redis.ask(&["EVAL", MEND, "0", NAMESPACE, WRONG]).await,
        _ => {}
    }
}

async fn set(redis: &OwnRedis, name: &str, value: &str) {
    redis.ask::<()>(&["CONFIG", "SET", name, value]).await;
}

//! Both kinds of queue, for tests that both must pass.

use platform::queue::Queue;

use super::server::{RedisServer, namespace};

/// A queue in memory, and one in a Redis that other tests may use, too.
pub struct Backends {
    memory: Queue,
    redis: Queue,
    namespace: String,
    server: RedisServer,
}

impl Backends {
    pub async fn start() -> Self {
        let (server, namespace) = (RedisServer::any().await, namespace());
        let redis = Queue::redis_in(server.url(), &namespace).await.unwrap();
        Self { memory: Queue::memory(), redis, namespace, server }
    }

    /// Each with its name.
    pub fn each(&self) -> [(&'static str, &Queue); 2] {
        [("memory", &self.memory), ("Redis", &self.redis)]
    }

    /// The same queues as other processes have them: with connections of their own, where the queue has any.
    pub async fn as_other_process(&self) -> [Queue; 2] {
        let redis = Queue::redis_in(self.server.url(), &self.namespace).await.unwrap();
        [self.memory.clone(), redis]
    }
}

//! Our own scripts, each one step in Redis. They follow the layout of apalis-redis 1.0.0 and must change with it.

use redis::Script;

/// Every script, hashed once.
pub(super) struct Scripts {
    pub(super) push: Script,
    pub(super) depth: Script,
    pub(super) sweep: Script,
    pub(super) broken: Script,
    pub(super) forget: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            push: counting(include_str!("lua/push.lua")),
            depth: counting(include_str!("lua/depth.lua")),
            sweep: Script::new(include_str!("lua/sweep.lua")),
            broken: Script::new(include_str!("lua/broken.lua")),
            forget: Script::new(include_str!("lua/forget.lua")),
        }
    }
}

fn counting(script: &str) -> Script {
    Script::new(&format!("{}\n{script}", include_str!("lua/held.lua")))
}

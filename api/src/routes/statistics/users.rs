//! How many users there are, and by what they are reached. A user is a subscriber, or a person who has push subscriptions and
//! is none; of subscriptions that name no user each is one.

use entity::subscriber::queries::Users;
use serde::Serialize;

use super::only;
use crate::{app::App, problem::Problem, search::search};

/// `user_stats`. A user with push subscriptions only is active.
#[derive(Serialize)]
pub(crate) struct UserStats {
    total: i64,
    active: i64,
    with_telegram: i64,
    with_web_push: i64,
}

/// Counts them.
pub(super) async fn count(app: &App) -> Result<UserStats, Problem> {
    let users: Users = only(search(app, entity::subscriber::queries::users()).await?)?;
    Ok(UserStats {
        total: users.subscribers + users.push_only,
        active: users.active + users.push_only,
        with_telegram: users.with_telegram,
        with_web_push: users.with_web_push + users.push_only,
    })
}

//! Permissions as extractors: the signature of a handler says who may call it. Put them first, before anything is read.

use axum::extract::FromRequestParts;
use domain::problem::ProblemCode;
use entity::scope::Scope;
use http::request::Parts;

use super::{Caller, Right};
use crate::{app::App, problem::Problem};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident needs $right:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name {
            /// Whose data the caller may see.
            pub(crate) scope: Scope,
        }

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                app.authenticator.authenticate(&parts.headers)?;
                let caller = Caller::ADMIN;
                if !caller.rights.contains(&Right::$right) {
                    return Err(ProblemCode::Forbidden.into());
                }
                Ok(Self { scope: caller.scope })
            }
        }
    )+};
}

permissions! {
    /// May read data.
    Reader needs Read,
    /// May publish events and other work.
    Publisher needs Publish,
    /// May register and change endpoints, and read secrets.
    Manager needs Manage,
}

/// May change what belongs to no user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Administrator;

impl FromRequestParts<App> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match Manager::from_request_parts(parts, app).await?.scope {
            Scope::Everyone => Ok(Self),
            Scope::User(_) => Err(ProblemCode::Forbidden.into()),
        }
    }
}

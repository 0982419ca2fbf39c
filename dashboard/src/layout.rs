//! What surrounds every page: navigation, theme, the addresses of script and style.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use crate::{app::App, assets::Assets, security::session::cookie};

const THEME_COOKIE: &str = "hookyard_theme";

/// The part of a page that is the same on all of them.
#[derive(Clone)]
pub(crate) struct Layout {
    /// Where script and style are.
    pub(crate) assets: Arc<Assets>,
    /// `light` or `dark`, when the reader chose one; else the system's.
    pub(crate) theme: Option<&'static str>,
    /// Whether there is a session to end.
    pub(crate) may_log_out: bool,
    /// Whether the reader may see more than the login.
    pub(crate) admitted: bool,
    /// The page's path, to mark it in the navigation.
    pub(crate) path: String,
}

impl Layout {
    /// The layout of a request.
    pub(crate) fn of(app: &App, path: &str, headers: &HeaderMap) -> Self {
        let admitted = app.sessions.admits(headers, app.sources.clock.now());
        Self {
            assets: Arc::clone(&app.assets),
            theme: chosen_theme(headers),
            may_log_out: app.sessions.are_required() && admitted,
            admitted,
            path: path.to_owned(),
        }
    }
}

impl FromRequestParts<App> for Layout {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(app, parts.uri.path(), &parts.headers))
    }
}

fn chosen_theme(headers: &HeaderMap) -> Option<&'static str> {
    ["light", "dark"].into_iter().find(|theme| cookie(headers, THEME_COOKIE) == Some(*theme))
}

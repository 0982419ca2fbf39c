//! Tests that run twice, once on each database.

/// The same story on SQLite and on Postgres, with settings where some are named.
macro_rules! on_both_databases {
    ($(async fn $name:ident($api:ident: TestApi) $body:block)+) => {
        on_both_databases! { with &[]; $(async fn $name($api: TestApi) $body)+ }
    };
    (with $settings:expr; $(async fn $name:ident($api:ident: TestApi) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "stories differ in what they use")]
            use super::*;

            async fn story($api: TestApi) $body

            #[tokio::test]
            async fn sqlite() {
                story(TestApi::with($settings).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                story(TestApi::on_postgres($settings).await).await;
            }
        }
    )+};
}
pub(crate) use on_both_databases;

//! Notices and what became of them, placements, subscribers, push subscriptions, recipients of broadcasts.

use domain::{
    delivery::Channel,
    id::{EventId, NoticeId, PlacementId, SubscriberId},
};
use entity::{
    broadcast,
    broadcast::queries::{DisplayStatus, Recipients, Unsent},
    notice,
    notice::queries::{Counted, Total},
    placement,
    placement::queries::{OfCompany, Summary},
    push_subscription, subscriber,
    subscriber::queries::Users,
};
use testkit::on_both_shapes;
use uuid::Uuid;

use crate::{
    read,
    rows::{self, insert},
};

fn notice(kind: &str) -> notice::Model {
    let id = Uuid::now_v7();
    notice::Model {
        id,
        title: "T".to_owned(),
        message: "M".to_owned(),
        kind: kind.to_owned(),
        url: None,
        created_at: 1,
    }
}

fn broadcast(channel: Channel, notice_id: Option<Uuid>) -> broadcast::Model {
    broadcast::Model {
        id: Uuid::now_v7(),
        event_id: Uuid::now_v7(),
        channel: channel.as_str().to_owned(),
        notice_id,
        state: "running".to_owned(),
        cursor: Uuid::nil(),
        total: 2,
        queued: 1,
        created_at: 1,
        finished_at: None,
        claim: 0,
        lease_until: 0,
    }
}

fn subscriber(user_id: Option<i64>, chat: Option<&str>, active: bool) -> subscriber::Model {
    let chat_id = chat.map(str::to_owned);
    subscriber::Model {
        id: Uuid::now_v7(),
        user_id,
        chat_id,
        name: None,
        active,
        created_at: 1,
        updated_at: 1,
    }
}

fn push(user_id: Option<i64>, reached_at: Option<i64>) -> push_subscription::Model {
    let id = Uuid::now_v7();
    push_subscription::Model {
        id,
        endpoint: format!("https://push.example.com/{id}"),
        lane_id: Uuid::now_v7(),
        p256dh: vec![4; 65],
        auth: vec![7; 16],
        user_id,
        created_at: 1,
        updated_at: 1,
        reached_at,
    }
}

fn placement(student: &str, company: &str, package: Option<f64>) -> placement::Model {
    let (student, company) = (student.to_owned(), company.to_owned());
    placement::Model {
        id: Uuid::now_v7(),
        student,
        company,
        role: None,
        package,
        placed_on: None,
        created_at: 1,
    }
}

on_both_shapes! {
    async fn notices_are_listed_counted_and_deleted(app: TestApp) {
        let (database, db) = (&app.context.database, app.context.database.writer());
        let mut notices = [notice("news"), notice("news"), notice("Alert")];
        notices.sort_by_key(|row| std::cmp::Reverse(row.id));
        for one in &notices {
            insert(db, one.clone()).await.expect("a notice");
        }
        let sent = broadcast(Channel::Telegram, Some(notices[0].id));
        insert(db, sent.clone()).await.expect("a broadcast");
        let id = NoticeId(notices[0].id);
        assert_eq!(notice::queries::find(database, id).await.expect("read"), Some(notices[0].clone()));
        let page = notice::queries::page(database, None, 2).await.expect("read");
        assert_eq!(page, notices[..2]);
        let rest = notice::queries::page(database, Some(NoticeId(notices[1].id)), 2).await.expect("read");
        assert_eq!(rest, notices[2..]);
        let ids = notices.iter().map(|one| one.id).collect();
        assert_eq!(notice::queries::broadcasts(database, ids).await.expect("read"), [sent]);
        let total: Vec<Total> = read(&app, &notice::queries::total()).await;
        assert_eq!(total, [Total { notices: 3 }]);
        let counted = |word: &str, notices| Counted { word: word.to_owned(), notices };
        let sent: Vec<Counted> = read(&app, &notice::queries::sent()).await;
        assert_eq!(sent, [counted("telegram", 1)]);
        let by_type: Vec<Counted> = read(&app, &notice::queries::by_type()).await;
        assert_eq!(by_type, [counted("news", 2), counted("Alert", 1)]);
        let channels = [Channel::Telegram, Channel::WebPush];
        let of = async |channels: &[Channel], after| -> Vec<Uuid> {
            let unsent: Vec<Unsent> = read(&app, &broadcast::queries::unsent(channels, after, 10)).await;
            unsent.iter().map(Unsent::id).collect()
        };
        let oldest_first: Vec<Uuid> = notices.iter().rev().map(|one| one.id).collect();
        assert_eq!(of(&channels, Uuid::nil()).await, oldest_first);
        assert_eq!(of(&[Channel::Telegram], oldest_first[0]).await, oldest_first[1..2]);
        assert!(notice::queries::delete(database, id).await.expect("deleted"));
        assert!(!notice::queries::delete(database, id).await.expect("no error"));
    }

    async fn a_broadcast_says_how_many_arrived(app: TestApp) {
        let (db, now) = (app.context.database.writer(), app.clock.now());
        let event = rows::event("notification", "{}", now);
        let endpoint = rows::endpoint("https://example.com/", now);
        let row = broadcast::Model { event_id: event.id, ..broadcast(Channel::WebPush, None) };
        insert(db, row).await.expect("a broadcast");
        for state in ["succeeded", "dead", "cancelled"] {
            let mut finished = rows::finished(rows::delivery(&event, &endpoint), state, None);
            finished.channel = Channel::WebPush.as_str().to_owned();
            insert(db, finished).await.expect("a delivery");
        }
        let query = broadcast::queries::standings(EventId(event.id), now);
        let standing: Vec<DisplayStatus> = read(&app, &query).await;
        let channel = Channel::WebPush.as_str().to_owned();
        assert_eq!(standing, [DisplayStatus { channel, is_done: false, queued: 1, succeeded: 1, failed: 2 }]);
    }

    async fn recipients_and_users_are_counted_once(app: TestApp) {
        let (database, db) = (&app.context.database, app.context.database.writer());
        let mut subscribers =
            [subscriber(Some(1), Some("10"), true), subscriber(None, Some("11"), false), subscriber(Some(2), None, true)];
        subscribers.sort_by_key(|row| std::cmp::Reverse(row.id));
        for one in &subscribers {
            insert(db, one.clone()).await.expect("a subscriber");
        }
        let pushed = [push(Some(1), Some(5)), push(Some(3), None), push(Some(3), None), push(None, None)];
        for one in &pushed {
            insert(db, one.clone()).await.expect("a subscription");
        }
        let count = async |channel, chat| -> i64 {
            let found: Vec<Recipients> = read(&app, &broadcast::queries::recipients(channel, chat)).await;
            found[0].recipients
        };
        assert_eq!(count(Channel::Telegram, None).await, 1);
        assert_eq!(count(Channel::Telegram, Some("10")).await, 1);
        assert_eq!(count(Channel::Telegram, Some("99")).await, 2);
        assert_eq!(count(Channel::WebPush, None).await, 4);
        let users: Vec<Users> = read(&app, &subscriber::queries::users()).await;
        let expected = Users { subscribers: 3, active: 2, with_telegram: 2, with_web_push: 1, push_only: 2 };
        assert_eq!(users, [expected]);
        let id = SubscriberId(subscribers[0].id);
        assert_eq!(subscriber::queries::find(database, id).await.expect("read"), Some(subscribers[0].clone()));
        assert_eq!(subscriber::queries::page(database, Some(id), 1).await.expect("read"), subscribers[1..2]);
        assert!(subscriber::queries::delete(database, id).await.expect("deleted"));
        assert!(!subscriber::queries::delete(database, id).await.expect("no error"));

        let found = push_subscription::queries::at(database, &pushed[1].endpoint).await.expect("read");
        assert_eq!(found, Some(pushed[1].clone()));
        assert_eq!(push_subscription::queries::at(database, "https://push.example.com/").await.expect("read"), None);
        let has_own = async || push_subscription::queries::has_own_lane(database, &pushed[1]).await.expect("read");
        assert!(!has_own().await);
        let endpoint = rows::endpoint("https://example.com/", app.clock.now());
        insert(db, entity::lane::Model { id: pushed[1].lane_id, ..rows::lane(&endpoint) }).await.expect("a lane");
        assert!(has_own().await);
        assert_eq!(push_subscription::queries::unreached(database, 10).await.expect("counted"), 3);
        assert_eq!(push_subscription::queries::unreached(database, 2).await.expect("counted"), 2);
    }

    async fn placements_amount_to_the_same(app: TestApp) {
        let (database, db) = (&app.context.database, app.context.database.writer());
        let none: Vec<Summary> = read(&app, &placement::queries::summary()).await;
        assert_eq!((none[0].offers, none[0].median), (0, None));
        let mut placements = [
            placement("Ann", "acme", Some(10.0)),
            placement("Ann", "acme", Some(20.0)),
            placement("Bob", "Zeta", Some(60.0)),
            placement("Cem", "Zeta", None),
            placement("Dan", "beta", Some(30.0)),
        ];
        placements.sort_by_key(|row| std::cmp::Reverse(row.id));
        for one in &placements {
            insert(db, one.clone()).await.expect("a placement");
        }
        let summary: Vec<Summary> = read(&app, &placement::queries::summary()).await;
        let (highest, average, median) = (Some(60.0), Some(30.0), Some(25.0));
        assert_eq!(summary, [Summary { students: 4, companies: 3, offers: 5, highest, average, median }]);
        let by_company: Vec<OfCompany> = read(&app, &placement::queries::by_company()).await;
        let found: Vec<_> = by_company.iter().map(|one| (one.company.as_str(), one.offers, one.students)).collect();
        assert_eq!(found, [("Zeta", 2, 2), ("acme", 2, 1), ("beta", 1, 1)], "by bytes");
        let id = PlacementId(placements[0].id);
        assert_eq!(placement::queries::find(database, id).await.expect("read"), Some(placements[0].clone()));
        assert_eq!(placement::queries::page(database, Some(id), 2).await.expect("read"), placements[1..3]);
        assert!(placement::queries::delete(database, id).await.expect("deleted"));
        assert!(!placement::queries::delete(database, id).await.expect("no error"));
    }
}

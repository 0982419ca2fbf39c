//! The list of scenarios. One that is missing here is dead code, which the lints refuse.

/// A test of each scenario for this subject.
macro_rules! suite {
    ($subject:ty) => {
        suite! { @tests $subject;
            answers {
                each_success_is_one,
                each_status_has_the_channels_meaning,
                a_redirect_is_a_failure_and_is_not_followed,
                a_date_in_retry_after_is_relative_to_the_send,
                a_date_in_retry_after_is_measured_from_the_answers_own_date,
                sixteen_kib_of_a_body_are_kept_and_its_connection_too,
                the_rest_of_a_huge_body_is_not_read_and_is_no_error,
                a_chunked_body_is_put_together,
                a_2xx_whose_body_stalls_or_breaks_off_counts_with_what_arrived,
                a_failure_whose_body_stalls_is_that_failure,
                eight_kib_of_headers_are_kept,
                more_headers_than_http_clients_take_are_a_protocol_failure,
                a_compressed_body_is_kept_as_it_came,
            }
            hangups {
                a_kept_connection_that_was_closed_meanwhile_costs_no_attempt,
                a_request_that_was_written_is_not_sent_again_by_itself,
                an_answer_that_says_close_is_the_last_of_its_connection,
                a_connection_that_breaks_in_the_body_leaves_the_status_to_count,
                a_connection_that_breaks_in_the_head_is_a_reset,
            }
            http2 {
                what_was_not_seen_is_sent_again_at_once,
                what_may_have_been_seen_is_a_reset_and_is_not_sent_again_by_itself,
                a_receiver_that_always_goes_away_is_a_reset_in_the_end,
                what_is_not_http_2_is_a_protocol_failure,
                heads_are_taken_up_to_their_bound,
            }
            secrets {
                no_report_shows_a_secret,
                what_receivers_say_back_is_hidden_where_the_channel_says_so,
            }
            slow {
                a_head_that_comes_byte_by_byte_meets_the_deadline,
                a_status_line_that_comes_byte_by_byte_meets_the_deadline,
                a_flood_of_interim_answers_meets_the_deadline_and_stops_nobody_else,
                an_answer_after_interim_ones_counts,
                switching_protocols_is_no_success,
                a_head_without_end_is_a_protocol_failure_long_before_the_deadline,
                a_body_that_comes_byte_by_byte_ends_with_the_deadline_and_its_status_counts,
            }
            timing {
                a_connection_is_kept_and_its_times_are_told_apart,
                a_literal_address_has_no_time_of_resolution,
            }
            tls {
                http_2_is_spoken_where_it_is_offered_over_one_connection,
                http_1_is_spoken_where_that_is_all_there_is,
                a_certificate_that_nobody_vouches_for_is_a_tls_failure,
                a_certificate_for_another_name_is_a_tls_failure,
                tls_to_a_plain_port_is_a_tls_failure,
                a_handshake_that_never_comes_meets_the_connect_deadline,
            }
            transport {
                a_closed_port_refuses,
                a_connection_that_is_reset_or_closed_is_a_reset,
                what_is_not_http_is_a_protocol_failure,
                a_receiver_that_never_answers_meets_the_deadline,
                a_head_that_trickles_meets_the_deadline_too,
                a_listener_that_never_accepts_meets_the_connect_deadline,
                a_private_address_is_refused_before_anything_is_sent,
                a_name_that_does_not_exist_is_a_dns_failure,
                many_sends_at_once_each_have_their_own_report,
            }
        }
    };
    (@tests $subject:ty; $($module:ident { $($scenario:ident),+ $(,)? })+) => {$($(
        #[tokio::test]
        async fn $scenario() {
            crate::suite::$module::$scenario::<$subject>().await;
        }
    )+)+};
}

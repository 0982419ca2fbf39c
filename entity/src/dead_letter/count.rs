//! How many dead letters there are: those of days that are still kept stand among the finished deliveries, older ones in a
//! table of their own.

/// The number of dead letters as an expression, at most the bound value of each table.
macro_rules! dead_letters {
    ($most:literal) => {
        concat!(
            "((SELECT count(*) FROM (SELECT 1 FROM finished_delivery WHERE state = 'dead' LIMIT ",
            $most,
            ") AS finished) + (SELECT count(*) FROM (SELECT 1 FROM dead_letter LIMIT ",
            $most,
            ") AS letters))"
        )
    };
}

pub(crate) use dead_letters;

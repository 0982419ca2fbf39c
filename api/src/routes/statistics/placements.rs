//! Statistics of the placements. Packages are in the unit in which they were submitted.

use entity::placement::queries::{OfCompany, Summary};
use serde::Serialize;

use super::only;
use crate::{app::App, problem::Problem, search::search};

/// Means are rounded to a ten-thousandth: further digits differ between databases.
const PARTS: f64 = 10_000.0;

/// `placement_stats`. Packages are null where no placement has one.
#[derive(Serialize)]
pub(crate) struct PlacementStats {
    students_placed: i64,
    companies: i64,
    offers: i64,
    highest_package: Option<f64>,
    average_package: Option<f64>,
    median_package: Option<f64>,
    by_company: Vec<CompanyStats>,
}

#[derive(Serialize)]
struct CompanyStats {
    company: String,
    offers: i64,
    students: i64,
    highest_package: Option<f64>,
    average_package: Option<f64>,
}

/// Counts them.
pub(super) async fn count(app: &App) -> Result<PlacementStats, Problem> {
    let all: Summary = only(search(app, entity::placement::queries::summary()).await?)?;
    let by_company: Vec<OfCompany> = search(app, entity::placement::queries::by_company()).await?;
    Ok(PlacementStats {
        students_placed: all.students,
        companies: all.companies,
        offers: all.offers,
        highest_package: all.highest,
        average_package: all.average.map(rounded),
        median_package: all.median.map(rounded),
        by_company: by_company.into_iter().map(CompanyStats::from).collect(),
    })
}

fn rounded(mean: f64) -> f64 {
    (mean * PARTS).round() / PARTS
}

impl From<OfCompany> for CompanyStats {
    fn from(row: OfCompany) -> Self {
        Self {
            company: row.company,
            offers: row.offers,
            students: row.students,
            highest_package: row.highest,
            average_package: row.average.map(rounded),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::notification::MAX_PACKAGE;

    use super::rounded;

    #[test]
    fn a_mean_has_four_digits_behind_the_point() {
        for (mean, expected) in
            [(0.0, 0.0), (55.0 / 3.0, 18.3333), (0.000_05, 0.0001), (MAX_PACKAGE, MAX_PACKAGE)]
        {
            assert!((rounded(mean) - expected).abs() < f64::EPSILON, "{mean}");
        }
    }
}

//! What a scenario found: figures, goals and costs, as a table and as JSON.

pub(crate) mod json;
pub(crate) mod table;

use crate::{measure::Cost, rig::Shape};

/// The findings of one scenario on one shape.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) shape: Shape,
    /// Numbers by name; a name ends in its unit.
    pub(crate) figures: Vec<(String, f64)>,
    pub(crate) goals: Vec<Goal>,
    pub(crate) costs: Vec<Cost>,
    /// What a reader must know to trust the figures.
    pub(crate) notes: Vec<String>,
    /// Accepted work that never arrived; none where it was not looked for.
    pub(crate) lost: Option<u64>,
}

/// What was wanted, and whether it was so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    pub(crate) wanted: String,
    pub(crate) met: bool,
}

impl Report {
    /// With nothing in it yet.
    pub(crate) fn new(scenario: &'static str, shape: Shape) -> Self {
        let (figures, goals, costs, notes) = (vec![], vec![], vec![], vec![]);
        Self { scenario, shape, figures, goals, costs, notes, lost: None }
    }

    /// Adds a number.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64) -> &mut Self {
        self.figures.push((name.into(), value));
        self
    }

    /// Adds a goal.
    pub(crate) fn goal(&mut self, wanted: impl Into<String>, met: bool) -> &mut Self {
        self.goals.push(Goal { wanted: wanted.into(), met });
        self
    }

    /// Adds a remark.
    pub(crate) fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    /// Whether nothing that was accepted is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.lost.is_none_or(|lost| lost == 0)
    }
}

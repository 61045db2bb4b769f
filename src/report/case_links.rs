//! Where on the page a figure finds a case: by its bin of dH_rel, or by its name.

use std::collections::BTreeMap;

use super::input::CaseView;
use super::number;
use crate::analysis::bins::{bin_of, edges};
use crate::analysis::summary::FollowingAnalysis;

/// The cards of one analysis' cases.
#[derive(Debug, Clone, Default)]
pub struct CaseLinks<'a> {
    /// (position of the card, from 1; the case)
    cases: Vec<(usize, &'a CaseView)>,
    edges: Vec<f64>,
}

/// A link to a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLink {
    /// `#case-3`.
    pub href: String,
    /// Name of the bin that the browser of cases is to show; empty for a single case.
    pub bin: String,
    /// Cases that it leads to.
    pub cases: usize,
}

impl<'a> CaseLinks<'a> {
    /// The cards of these cases, which belong to this analysis.
    #[must_use]
    pub fn new(cases: &'a [CaseView], analysis: &FollowingAnalysis) -> Self {
        Self { cases: (1..).zip(cases).collect(), edges: edges(analysis.settings.bin_width) }
    }

    /// Whether they lead nowhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The analysed conflict cases whose dH_rel is in the bin with this lower edge, where there is one on the page.
    #[must_use]
    pub fn bin(&self, low: f64) -> Option<CaseLink> {
        let bin = self.edges.iter().position(|edge| *edge == low)?;
        let inside = |case: &CaseView| case.analysed && self.bin_of(case) == Some(bin);
        let mut inside = self.cases.iter().filter(|(_, case)| inside(case)).map(|(position, _)| position);
        let first = inside.next()?;
        Some(CaseLink { href: format!("#case-{first}"), bin: self.bin_name(bin), cases: 1 + inside.count() })
    }

    /// The case of this name, and its card.
    #[must_use]
    pub fn item(&self, item_id: &str) -> Option<(&'a CaseView, CaseLink)> {
        let (position, case) = self.cases.iter().find(|(_, case)| case.item_id == item_id)?;
        Some((case, CaseLink { href: format!("#case-{position}"), bin: String::new(), cases: 1 }))
    }

    /// The name of a case's bin; "none" where it has no dH_rel.
    #[must_use]
    pub fn bin_name_of(&self, case: &CaseView) -> String {
        self.bin_of(case).map_or_else(|| "none".to_string(), |bin| self.bin_name(bin))
    }

    /// The names of the bins that occur, by rising dH_rel.
    #[must_use]
    pub fn bin_names(&self) -> Vec<String> {
        let bins: BTreeMap<usize, String> = self
            .cases
            .iter()
            .filter_map(|(_, case)| self.bin_of(case))
            .map(|bin| (bin, self.bin_name(bin)))
            .collect();
        let none = self.cases.iter().any(|(_, case)| self.bin_of(case).is_none());
        bins.into_values().chain(none.then(|| "none".to_string())).collect()
    }

    fn bin_of(&self, case: &CaseView) -> Option<usize> {
        let dh_rel = case.dh_rel.filter(|value| value.is_finite())?;
        (self.edges.len() > 1).then(|| bin_of(&self.edges, dh_rel))
    }

    fn bin_name(&self, bin: usize) -> String {
        format!("{} to {}", number::fixed(self.edges[bin], 2), number::fixed(self.edges[bin + 1], 2))
    }
}

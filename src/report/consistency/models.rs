//! Several models: does consistency go with how alike they represent image and text?

use crate::analysis::summary::{DECODER_ENDS, Estimate, ModelComparison, ModelRow, Representation};
use crate::report::figure::alignment;
use crate::report::number;
use crate::report::table::Table;

/// The section.
#[must_use]
pub fn section(models: &ModelComparison) -> String {
    let mut table =
        Table::new(&["model", "suite", "depth", "cosine", "retrieval", "RER", "RER, OCR-correct"]);
    for row in &models.models {
        for at in row.representations.iter().filter(|at| is_shown(row, at)) {
            table.row([
                row.model.clone(),
                row.suite.clone(),
                at.depth.clone(),
                figure(at, |at| at.cosine),
                figure(at, |at| at.retrieval),
                number::optional_estimate(row.rer, 2),
                number::optional_estimate(row.rer_ocr_correct, 2),
            ]);
        }
    }
    format!(
        "<section id=\"models\"><h2>Over models</h2><p class=\"intro\">If what the image and the text become inside the model \
         decides whether they are answered alike, models that align them better are more consistent.</p>{}{}</section>",
        alignment::figure(models),
        if models.models.iter().all(|row| row.representations.is_empty()) {
            String::new()
        } else {
            table.finish()
        },
    )
}

/// The decoder's ends, and where the model is best; all depths would be a table too long to read.
fn is_shown(row: &ModelRow, at: &Representation) -> bool {
    let best = row.best_depth.as_ref();
    DECODER_ENDS.contains(&at.depth.as_str())
        || best.is_some_and(|best| best.cosine == at.depth || best.retrieval.as_ref() == Some(&at.depth))
}

fn figure(at: &Representation, pick: fn(&Representation) -> Option<Estimate>) -> String {
    number::optional_estimate(pick(at), 3)
}

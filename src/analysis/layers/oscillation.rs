//! Oscillation: how often a model switches between the two answers on its way through the layers.

use crate::analysis::tables::Class;

/// Switches between vision and text from layer to layer, after the layers that say neither are left out (arXiv
/// 2511.02243). Layers of unknown class are left out like those; `None` where every layer is of unknown class.
pub fn oscillations(classes: impl IntoIterator<Item = Option<Class>>) -> Option<u32> {
    let mut known = classes.into_iter().flatten().peekable();
    known.peek()?;
    let mut relevant = known.filter(|class| *class != Class::Other);
    let first = relevant.next();
    let switches = relevant.scan(first, |last, class| {
        let switched = last.replace(class) != Some(class);
        Some(u32::from(switched))
    });
    Some(switches.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(classes: &str) -> Option<u32> {
        oscillations(classes.chars().map(|class| match class {
            'v' => Some(Class::Vision),
            't' => Some(Class::Text),
            'o' => Some(Class::Other),
            _ => None,
        }))
    }

    #[test]
    fn the_cases_of_the_paper() {
        assert_eq!(count("vot"), Some(1));
        assert_eq!(count("vvov"), Some(0));
    }

    #[test]
    fn every_switch_counts_and_what_lies_between_does_not() {
        assert_eq!(count("ovtvoootvo"), Some(4));
        assert_eq!(count("t"), Some(0));
        assert_eq!(count("oooo"), Some(0), "neither answer is a constant, too");
    }

    #[test]
    fn unknown_layers_are_left_out_and_unknown_cases_have_no_count() {
        assert_eq!(count("?v??t?"), Some(1));
        assert_eq!(count("????"), None);
        assert_eq!(count(""), None);
    }
}

//! Rotary position embedding (Su et al. 2021, equation 34), with the halves of a head side by side as in the models of the Llama family.

use ort::value::ValueRef;
use ort::{Error, Result};

/// Cosines and sines by which the heads of each token are turned, [1 or batch, tokens, head size / 2]; or nothing, which leaves them.
pub(super) struct Angles<'v> {
    given: Option<(&'v [f32], &'v [f32])>,
    tokens: usize,
    /// Whether each row has its own.
    by_row: bool,
}

impl<'v> Angles<'v> {
    /// Of a pair of inputs.
    ///
    /// # Errors
    /// When they are not of that shape.
    pub fn of(
        [cosines, sines]: [&'v Option<ValueRef<'_>>; 2],
        batch: usize,
        tokens: usize,
        size: usize,
    ) -> Result<Self> {
        let (cosines, sines) = match (cosines, sines) {
            (Some(cosines), Some(sines)) => (cosines, sines),
            (None, None) => return Ok(Self { given: None, tokens, by_row: false }),
            _ => return Err(Error::new("expected cosines and sines, found one of them")),
        };
        let (shape, cosines) = cosines.try_extract_tensor::<f32>()?;
        let (of_sines, sines) = sines.try_extract_tensor::<f32>()?;
        let one = tokens * size / 2;
        let by_row = cosines.len() == batch * one;
        if !by_row && cosines.len() != one || shape != of_sines || !size.is_multiple_of(2) {
            return Err(Error::new(format!(
                "cosines {shape} and sines {of_sines} are not those of {batch} x {tokens} tokens' heads of {size}\n  run with --graphs runtime"
            )));
        }
        Ok(Self { given: Some((cosines, sines)), tokens, by_row })
    }

    /// Turns a head of a row's token.
    pub fn turn(&self, row: usize, token: usize, head: &mut [f32]) {
        let Some((cosines, sines)) = self.given else { return };
        let half = head.len() / 2;
        let first = (if self.by_row { row * self.tokens } else { 0 } + token) * half;
        let angles = cosines[first..first + half].iter().zip(&sines[first..first + half]);
        let (one, other) = head.split_at_mut(half);
        for ((one, other), (cosine, sine)) in one.iter_mut().zip(other).zip(angles) {
            (*one, *other) = (*one * cosine - *other * sine, *other * cosine + *one * sine);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_turned_into_each_other_by_the_angles_of_their_token() {
        let (cosines, sines) = ([1.0, 0.0, 0.6, 0.0], [0.0, 1.0, 0.8, -1.0]);
        let turned = |by_row: bool, row: usize, token: usize| {
            let tokens = if by_row { 1 } else { 2 };
            let mut head = [3.0, 5.0, 4.0, 7.0];
            Angles { given: Some((&cosines, &sines)), tokens, by_row }.turn(row, token, &mut head);
            head
        };
        assert_eq!(turned(false, 3, 0), [3.0, -7.0, 4.0, 5.0]);
        let [one, quarter, other, back] = turned(false, 3, 1);
        assert!((one + 1.4).abs() < 1e-6 && (other - 4.8).abs() < 1e-6, "0.6 and 0.8 of 3 and 4");
        assert_eq!([quarter, back], [7.0, -5.0]);
        assert_eq!(turned(true, 1, 0), turned(false, 0, 1), "the second row's only token");
        let mut head = [1.0, 2.0];
        Angles { given: None, tokens: 1, by_row: false }.turn(0, 0, &mut head);
        assert_eq!(head, [1.0, 2.0]);
    }
}

use ndarray::{Array2, Axis, s};

use super::*;
use crate::model::kernels::PANEL;

/// Some numbers in (-1, 1).
fn numbers(count: usize) -> Vec<f32> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    std::iter::repeat_with(|| ()).take(count).scan(count as u32, |state, ()| next(state)).collect()
}

fn panels(weights: &Array2<f32>, transposed: bool) -> Panels {
    let stored = if transposed { weights.t() } else { weights.view() };
    let bytes: Vec<u8> = stored.iter().flat_map(|number| number.to_le_bytes()).collect();
    Panels::read(&bytes[..], weights.dim().into(), transposed).unwrap()
}

/// The layer's outputs.
fn outputs(x: &Array2<f32>, weights: &Panels, bias: &[f32], activation: Activation) -> Array2<f32> {
    outputs_with(x, weights, Epilogue { bias, activation, ..Epilogue::default() })
}

/// The same, panel by panel.
fn outputs_with(x: &Array2<f32>, weights: &Panels, epilogue: Epilogue) -> Array2<f32> {
    let mut y = Array2::zeros((x.nrows(), weights.outputs));
    for depth in 0..depths(weights.inputs) {
        for (panel, mut y) in y.axis_chunks_iter_mut(Axis(1), PANEL).enumerate() {
            let columns = panel * PANEL..panel * PANEL + y.ncols();
            let epilogue = epilogue.part(0..x.nrows(), columns);
            multiply(x.as_slice().unwrap(), weights, depth, panel, epilogue, &mut y);
        }
    }
    y
}

struct Case {
    x: Array2<f32>,
    weights: Array2<f32>,
    bias: Vec<f32>,
}

fn case(rows: usize, inputs: usize, columns: usize) -> Case {
    Case {
        x: Array2::from_shape_vec((rows, inputs), numbers(rows * inputs)).unwrap(),
        weights: Array2::from_shape_vec((inputs, columns), numbers(inputs * columns)).unwrap(),
        bias: numbers(columns),
    }
}

#[test]
fn outputs_are_products_and_bias() {
    for (rows, inputs, columns) in [(1, 16, 16), (13, 40, 100), (8, 33, 48), (7, DEPTH + 9, 50), (300, 5, 3)]
    {
        let Case { x, weights, bias } = case(rows, inputs, columns);
        let exact = x.mapv(f64::from).dot(&weights.mapv(f64::from));
        for transposed in [false, true] {
            let panels = panels(&weights, transposed);
            for bias in [&bias[..], &[]] {
                let found = outputs(&x, &panels, bias, Activation::None);
                for ((row, column), found) in found.indexed_iter() {
                    let expected = exact[[row, column]] + bias.get(column).copied().map_or(0.0, f64::from);
                    let error = (f64::from(*found) - expected).abs();
                    assert!(
                        error < 1e-6 * inputs as f64,
                        "{rows} x {inputs} x {columns}: {found}, {expected}"
                    );
                }
            }
        }
    }
}

/// Values of torch.nn.functional.gelu(x, approximate="tanh") in 64 bits, of torch 2.15.
#[test]
fn gelu_is_that_of_pytorch() {
    let golden = [
        (-12.0, -0.0),
        (-3.0, -0.003_637_392_081_772_994_3),
        (-1.0, -0.158_808_009_391_723_24),
        (-1e-3, -0.000_499_601_057_786_418),
        (0.0, 0.0),
        (0.5, 0.345_714_009_825_143_94),
        (2.0, 1.954_597_694_087_775),
        (30.0, 30.0),
    ];
    let one = panels(&Array2::ones((1, 1)), false);
    for (x, expected) in golden {
        let found = outputs(&Array2::from_elem((1, 1), x), &one, &[], Activation::TanhGelu)[[0, 0]];
        assert!((f64::from(found) - expected).abs() <= 1e-7 * f64::from(x.abs()), "{x}: {found}, {expected}");
    }
}

/// Values of torch.nn.functional.silu(x) in 64 bits, of torch 2.15.
#[test]
fn silu_is_that_of_pytorch() {
    let golden = [
        (-30.0, -2.807_286_890_651_79e-12),
        (-5.0, -0.033_464_254_621_424_28),
        (-1.0, -0.268_941_421_369_995_1),
        (-1e-3, -0.000_499_750_000_020_833_4),
        (0.0, 0.0),
        (0.5, 0.311_229_665_600_927_3),
        (2.0, 1.761_594_155_955_764_6),
        (30.0, 29.999_999_999_997_197),
    ];
    let one = panels(&Array2::ones((1, 1)), false);
    for (x, expected) in golden {
        let found = outputs(&Array2::from_elem((1, 1), x), &one, &[], Activation::Silu)[[0, 0]];
        assert!((f64::from(found) - expected).abs() <= 4e-6 * expected.abs(), "{x}: {found}, {expected}");
    }
}

#[test]
fn factors_and_then_sums_follow_the_activation() {
    for (rows, inputs, columns) in [(13, 40, 100), (9, DEPTH + 9, 50), (100, 20, 48)] {
        let Case { x, weights, bias } = case(rows, inputs, columns);
        let [factors, added] = [1, 2].map(|more| {
            let numbers = numbers(rows * columns + more).split_off(more);
            Array2::from_shape_vec((rows, columns), numbers).unwrap()
        });
        let panels = panels(&weights, false);
        for activation in [Activation::None, Activation::TanhGelu, Activation::Silu] {
            let plain = outputs(&x, &panels, &bias, activation);
            let epilogue = |factors, added| Epilogue { bias: &bias, activation, factors, added };
            let found = |factors, added| outputs_with(&x, &panels, epilogue(factors, added));
            assert_eq!(found(Some(factors.view()), None), &plain * &factors);
            assert_eq!(found(None, Some(added.view())), &plain + &added);
            assert_eq!(found(Some(factors.view()), Some(added.view())), &plain * &factors + &added);
        }
    }
}

#[test]
fn what_is_no_number_stays_none_in_its_row_only() {
    let Case { mut x, weights, bias } = case(11, 20, 60);
    x[[3, 7]] = f32::NAN;
    let panels = panels(&weights, false);
    for activation in [Activation::None, Activation::TanhGelu, Activation::Silu] {
        let found = outputs(&x, &panels, &bias, activation);
        assert!(found.indexed_iter().all(|((row, _), y)| y.is_nan() == (row == 3)));
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_in_company() {
    let Case { x, weights, bias } = case(21, DEPTH + 30, 70);
    let panels = panels(&weights, false);
    let all = outputs(&x, &panels, &bias, Activation::TanhGelu);
    for rows in [0..1, 5..7, 6..21, 20..21, 1..14] {
        let some = outputs(&x.slice(s![rows.clone(), ..]).to_owned(), &panels, &bias, Activation::TanhGelu);
        assert_eq!(some, all.slice(s![rows.clone(), ..]), "{rows:?}");
    }
}

#[test]
fn a_file_that_ends_early_is_refused() {
    assert!(Panels::read(&[0; 4 * 16 * 16 - 1][..], [16, 16], false).is_err());
}

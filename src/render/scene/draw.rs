//! Painting a scene: white canvas, shapes from back to front, edges anti-aliased.

use image::RgbImage;
use tiny_skia::{Color, FillRule, Paint, Pixmap, Transform};

use super::Scene;

/// Paints the scene: an RGB image of the canvas' size.
pub fn draw(scene: &Scene) -> RgbImage {
    let (width, height) = scene.canvas;
    let Some(mut pixmap) = Pixmap::new(width, height) else {
        return RgbImage::new(width, height); // a canvas without pixels
    };
    pixmap.fill(Color::WHITE);
    for shape in &scene.shapes {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color_rgba8(shape.color[0], shape.color[1], shape.color[2], 255);
        if let Some(path) = shape.path() {
            pixmap.fill_path(&path, &paint, FillRule::EvenOdd, Transform::identity(), None);
        }
    }
    // The canvas is opaque, so premultiplied colors are the colors.
    let pixels =
        pixmap.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    RgbImage::from_raw(width, height, pixels).unwrap_or_else(|| RgbImage::new(width, height))
}

#[cfg(test)]
mod tests {
    use super::super::{Placed, ShapeKind};
    use super::*;

    #[test]
    fn edges_are_blended_and_insides_are_pure() {
        let disc = Placed { kind: ShapeKind::Circle, color: [255, 0, 0], center: (50.0, 50.0), side: 61.0 };
        let image = draw(&Scene { canvas: (100, 100), shapes: vec![disc], target: 0 });
        assert_eq!(image.get_pixel(50, 50).0, [255, 0, 0]);
        assert_eq!(image.get_pixel(0, 0).0, [255, 255, 255]);
        let blended = image.pixels().filter(|pixel| (1..255).contains(&pixel.0[1])).count();
        assert!(blended > 50, "only {blended} blended pixels");
    }
}

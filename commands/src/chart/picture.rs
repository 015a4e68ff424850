//! A chart as a picture in PNG, for services that show pictures. Deliberately absent: colours to choose from, and letters
//! beyond Latin, Greek and Cyrillic, for which the font has an empty box.

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};
use ttf_parser::{Face, OutlineBuilder};

use super::{Form, Point, columns, ends, part, scale};

/// Roboto Regular (Apache-2.0), the letters that charts are written in.
const FONT: &[u8] = include_bytes!("../../assets/roboto.ttf");
/// The size of its letters, in dots.
const LETTERS: f32 = 14.0;
/// The picture's width, in dots.
const WIDTH: u16 = 800;
/// The height of a curve's picture, in dots; a line of blocks is lower.
const HEIGHT: u16 = 360;
const SPARK: u16 = 120;
/// A picture of bars is no higher than about this; they get thinner.
const HIGHEST: u16 = 4000;
const MARGIN: f32 = 16.0;

const PAPER: [u8; 3] = [0xff, 0xff, 0xff];
const INK: [u8; 3] = [0x33, 0x33, 0x33];
const GRID: [u8; 3] = [0xdd, 0xdd, 0xdd];
const BAR: [u8; 3] = [0x2b, 0x6c, 0xb0];
const BELOW: [u8; 3] = [0xc0, 0x50, 0x3a];

/// The picture; no bytes when there is no memory for it.
pub(super) fn png(form: Form, points: &[Point]) -> Vec<u8> {
    let drawn = match form {
        Form::Bar => bars(points),
        Form::Line => curve(points),
        Form::Spark => spark(points),
    };
    drawn.and_then(|canvas| canvas.dots.encode_png().ok()).unwrap_or_default()
}

/// How many dots a curve has numbers for.
pub(super) const DOTS: usize = WIDTH as usize;

fn bars(points: &[Point]) -> Option<Canvas> {
    const STEP: f32 = 26.0;
    let count = u16::try_from(points.len()).ok()?.max(1);
    let step = (f32::from(HIGHEST) / f32::from(count)).min(STEP);
    let mut canvas = Canvas::new(WIDTH, f32::from(count) * step + 2.0 * MARGIN)?;
    let written = step >= LETTERS;
    let widest = |text: fn(&Point) -> &str| {
        let widths = points.iter().map(|point| canvas.letters.width(text(point)));
        if written { widths.fold(0.0, f32::max) } else { 0.0 }
    };
    let (names, shown) = (widest(|point| &point.name), widest(|point| &point.shown));
    let left = MARGIN + names + if names > 0.0 { MARGIN / 2.0 } else { 0.0 };
    let right = f32::from(WIDTH) - MARGIN - shown - MARGIN / 2.0;
    let (least, most) = ends(points.iter().map(|point| point.number));
    let (least, most) = (least.min(0.0), most.max(0.0));
    let place = |number: f64| left + (right - left).max(1.0) * share(number, least, most);
    let zero = place(0.0);
    for (at, point) in points.iter().enumerate() {
        let top = MARGIN + f32::from(u16::try_from(at).ok()?) * step;
        let end = place(point.number);
        let colour = if point.number < 0.0 { BELOW } else { BAR };
        canvas.block(zero.min(end), top + step * 0.15, (end - zero).abs().max(1.0), step * 0.7, colour);
        if written {
            let base = top + step / 2.0 + LETTERS * 0.36;
            canvas.write(MARGIN, base, &point.name);
            canvas.write(f32::from(WIDTH) - MARGIN - canvas.letters.width(&point.shown), base, &point.shown);
        }
    }
    canvas.block(zero - 0.5, MARGIN, 1.0, f32::from(count) * step, INK);
    Some(canvas)
}

fn curve(points: &[Point]) -> Option<Canvas> {
    const LINES: usize = 5;
    let mut canvas = Canvas::new(WIDTH, f32::from(HEIGHT))?;
    let (least, most) = ends(points.iter().map(|point| point.number));
    let labels = scale(least, most, if least < most { LINES } else { 1 });
    let widest = labels.iter().map(|label| canvas.letters.width(label)).fold(0.0, f32::max);
    let (left, right) = (MARGIN + widest + MARGIN / 2.0, f32::from(WIDTH) - MARGIN);
    let (top, bottom) = (MARGIN, f32::from(HEIGHT) - MARGIN);
    let rows = f32::from(u16::try_from(labels.len()).ok()?.max(2) - 1);
    for (at, label) in labels.iter().enumerate() {
        let row = if labels.len() == 1 { 0.5 } else { f32::from(u16::try_from(at).ok()?) / rows };
        let y = bottom - (bottom - top) * row;
        canvas.block(left, y - 0.5, right - left, 1.0, GRID);
        canvas.write(left - MARGIN / 2.0 - canvas.letters.width(label), y + LETTERS * 0.36, label);
    }
    canvas.follow(points, [left, right], [top, bottom], (least, most));
    Some(canvas)
}

fn spark(points: &[Point]) -> Option<Canvas> {
    let mut canvas = Canvas::new(WIDTH, f32::from(SPARK))?;
    let along = [MARGIN, f32::from(WIDTH) - MARGIN];
    let (least, most) = ends(points.iter().map(|point| point.number));
    canvas.follow(points, along, [MARGIN, f32::from(SPARK) - MARGIN], (least, most));
    Some(canvas)
}

/// Where a number lies between two others, from 0 to 1.
#[expect(clippy::cast_possible_truncation, reason = "a part from 0 to 1")]
fn share(number: f64, least: f64, most: f64) -> f32 {
    part(number, least, most) as f32
}

fn paint(colour: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 0xff);
    paint
}

/// The font, and how it is scaled.
struct Letters {
    face: Face<'static>,
    scale: f32,
}

impl Letters {
    fn width(&self, text: &str) -> f32 {
        let glyphs = text.chars().map(|letter| self.face.glyph_index(letter).unwrap_or_default());
        glyphs.map(|glyph| f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) * self.scale).sum()
    }

    /// The outlines of a text that begins at a point.
    fn outline(&self, x: f32, y: f32, text: &str) -> Option<Path> {
        let mut pen = Pen { path: PathBuilder::new(), x, y, scale: self.scale };
        for letter in text.chars() {
            let glyph = self.face.glyph_index(letter).unwrap_or_default();
            self.face.outline_glyph(glyph, &mut pen);
            pen.x += f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) * self.scale;
        }
        pen.path.finish()
    }
}

/// Draws outlines at its place; the font's y goes up, the picture's down.
struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

struct Canvas {
    dots: Pixmap,
    letters: Letters,
}

impl Canvas {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by HIGHEST and its margins")]
    fn new(width: u16, height: f32) -> Option<Self> {
        let mut dots = Pixmap::new(u32::from(width), height.ceil() as u32)?;
        dots.fill(Color::from_rgba8(PAPER[0], PAPER[1], PAPER[2], 0xff));
        let face = Face::parse(FONT, 0).ok()?;
        let scale = LETTERS / f32::from(face.units_per_em());
        Some(Self { dots, letters: Letters { face, scale } })
    }

    fn fill(&mut self, path: &Path, colour: [u8; 3]) {
        self.dots.fill_path(path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }

    fn block(&mut self, x: f32, y: f32, width: f32, height: f32, colour: [u8; 3]) {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            self.fill(&PathBuilder::from_rect(rect), colour);
        }
    }

    fn write(&mut self, x: f32, y: f32, text: &str) {
        if let Some(path) = self.letters.outline(x, y, text) {
            self.fill(&path, INK);
        }
    }

    /// A curve through the numbers, from the left to the right.
    #[expect(clippy::cast_precision_loss, reason = "at most as many as there are dots")]
    fn follow(&mut self, points: &[Point], along: [f32; 2], within: [f32; 2], (least, most): (f64, f64)) {
        let numbers = columns(points, DOTS);
        let ([left, right], [top, bottom]) = (along, within);
        let gaps = numbers.len().saturating_sub(1).max(1) as f32;
        let mut path = PathBuilder::new();
        for (at, number) in numbers.iter().enumerate() {
            let up = if least < most { share(*number, least, most) } else { 0.5 };
            let (x, y) = (left + (right - left) * (at as f32 / gaps), bottom - (bottom - top) * up);
            if at == 0 {
                path.move_to(x, y);
            }
            path.line_to(x + if numbers.len() == 1 { 1.0 } else { 0.0 }, y);
        }
        let stroke = Stroke { width: 2.0, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        if let Some(path) = path.finish() {
            self.dots.stroke_path(&path, &paint(BAR), &stroke, Transform::identity(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::{Form, Pixmap, WIDTH, png};

    fn points(numbers: &[f64]) -> Vec<Point> {
        let point = |(at, number): (usize, &f64)| Point {
            name: format!("web-{at} é").into(),
            number: *number,
            shown: number.to_string().into(),
        };
        numbers.iter().enumerate().map(point).collect()
    }

    /// The colours of a picture, each once.
    fn colours(form: Form, numbers: &[f64]) -> Vec<[u8; 3]> {
        let picture = Pixmap::decode_png(&png(form, &points(numbers)));
        let picture = picture.unwrap_or_else(|error| panic!("{error}"));
        assert!(picture.width() == u32::from(WIDTH) && picture.height() > 50);
        let mut colours: Vec<_> = picture.pixels().iter().map(|dot| [dot.red(), dot.green(), dot.blue()]).collect();
        colours.sort_unstable();
        colours.dedup();
        colours
    }

    #[test]
    fn pictures_show_what_they_should() {
        let numbers = [3.0, -1.0, 7.5, 0.0];
        let drawn = colours(Form::Bar, &numbers);
        assert!([super::PAPER, super::INK, super::BAR, super::BELOW].iter().all(|colour| drawn.contains(colour)));
        for form in [Form::Line, Form::Spark] {
            assert!(colours(form, &numbers).contains(&super::BAR));
            assert!(colours(form, &[5.0]).contains(&super::BAR), "one number is seen");
            assert!(colours(form, &[f64::MAX, -f64::MAX]).contains(&super::BAR));
        }
        let many: Vec<f64> = (0..500).map(f64::from).collect();
        assert!(colours(Form::Bar, &many).contains(&super::BAR));
        assert!(colours(Form::Bar, &[0.0, 0.0]).contains(&super::INK));
    }
}

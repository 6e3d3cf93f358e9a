//! Where the boxes, arrows and labels of a picture go.
//!
//! All is laid out from left to right. A picture that runs down is laid out so too, and then turned over.
//!
//! Which box is in which column, and in which order, is dagre's work, a library that many drawing tools share in one
//! language or another. Arrows run through the places that it keeps free for them. They cross columns level and change
//! their height only between columns, so that none runs behind a box.

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir, layout};

use super::measured::Measured;
use super::{HEIGHT, Kind, Picture, WIDTH};

/// Around everything.
pub(super) const MARGIN: f64 = 28.0;
/// For the title, above everything else.
const TITLE: f64 = 44.0;
/// Around the host's boxes, on their ground.
pub(super) const GROUND: f64 = 14.0;
/// For the title of that ground.
pub(super) const GROUND_TITLE: f64 = 26.0;
/// How wide the host's boxes may stand beside each other below a picture that is narrower.
const SHELF: f64 = 700.0;

/// A box, laid out: its middle, and its size.
#[derive(Clone)]
pub(super) struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Place {
    fn turn(&mut self) {
        (self.x, self.y) = (self.y, self.x);
        (self.width, self.height) = (self.height, self.width);
    }
}

/// An arrow, laid out: the points that it runs through, and the middle of its label.
pub(super) struct Route {
    pub points: Vec<Point>,
    pub label: Point,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

pub(super) struct Plan {
    pub places: Vec<Place>,
    pub routes: Vec<Route>,
    pub width: f64,
    pub height: f64,
    /// Whether arrows run down, and not to the right.
    pub down: bool,
}

impl Plan {
    /// How many times larger than a screen it is.
    fn strain(&self) -> f64 {
        (self.width / WIDTH).max(self.height / HEIGHT)
    }
}

/// Room between boxes that are beside each other, between arrows that are, and from column to column.
struct Gaps {
    boxes: f64,
    arrows: f64,
    columns: f64,
}

const ROOMY: Gaps = Gaps { boxes: 26.0, arrows: 14.0, columns: 76.0 };
const TIGHT: Gaps = Gaps { boxes: 14.0, arrows: 8.0, columns: 36.0 };
/// Where the columns are rows: lines of text lie along the gaps.
const DOWN: Gaps = Gaps { boxes: 14.0, arrows: 8.0, columns: 28.0 };

/// Lays out a picture from left to right where there is room for that, and else down if that needs less.
pub(super) fn best(sized: &Measured) -> Plan {
    let mut across = plan(sized, &ROOMY, false);
    if across.width > WIDTH {
        across = plan(sized, &TIGHT, false);
    }
    if across.strain() <= 1.0 {
        return across;
    }
    let down = plan(sized, &DOWN, true);
    if down.strain() < across.strain() { down } else { across }
}

fn plan(sized: &Measured, gaps: &Gaps, down: bool) -> Plan {
    let turned = |(width, height): (f64, f64)| if down { (height, width) } else { (width, height) };
    let boxes: Vec<(f64, f64)> = sized.boxes.iter().copied().map(turned).collect();
    let labels: Vec<(f64, f64)> = sized.labels.iter().copied().map(turned).collect();
    let (mut places, mut routes) = laid_out(&sized.picture, &boxes, &labels, gaps);
    if down {
        places.iter_mut().for_each(Place::turn);
        let points = routes.iter_mut().flat_map(|route| route.points.iter_mut().chain([&mut route.label]));
        points.for_each(|point| *point = Point { x: point.y, y: point.x });
    }
    let mut plan = framed(&sized.picture, places, routes, &sized.labels, down);
    if sized.picture.is_compact() {
        shelve(sized, &mut plan);
    }
    plan
}

/// Boxes and arrows from left to right. Boxes that stand apart have no place yet.
fn laid_out(
    picture: &Picture,
    boxes: &[(f64, f64)],
    labels: &[(f64, f64)],
    gaps: &Gaps,
) -> (Vec<Place>, Vec<Route>) {
    let mut graph = Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    let name = |index: usize| format!("n{index:04}");
    let apart = picture.is_compact();
    let hosts: Vec<usize> = picture.of_kind(Kind::Host).filter(|_| !apart).collect();
    // One column, one width.
    let widest = hosts.iter().map(|index| boxes[*index].0).fold(0.0, f64::max);
    for index in picture.connected() {
        let (shape, (width, height)) = (&picture.boxes[index], boxes[index]);
        let width = if shape.kind == Kind::Host { widest } else { width };
        graph.set_node(name(index), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    for (arrow, (width, height)) in picture.arrows.iter().zip(labels.iter().copied()) {
        let label = EdgeLabel { width, height, labelpos: LabelPos::Center, ..EdgeLabel::default() };
        graph.set_edge(name(arrow.from), name(arrow.to), Some(label), None);
    }
    // What is the host's gets the last rank, and the exports get the first: strong arrows that are not shown, to and from
    // points that are not shown, pull them there.
    let pull = |graph: &mut Graph<NodeLabel, EdgeLabel>, from: String, to: String| {
        graph.set_edge(from, to, Some(EdgeLabel { weight: 100, ..EdgeLabel::default() }), None);
    };
    // Where there is much, they stand before what they lead to instead: long arrows cross others.
    let exports: Vec<usize> = picture.of_kind(Kind::Exports).filter(|_| !apart).collect();
    for (list, point) in [(&hosts, "last"), (&exports, "first")] {
        if !list.is_empty() {
            graph.set_node(point, Some(NodeLabel::default()));
        }
    }
    hosts.iter().for_each(|index| pull(&mut graph, name(*index), "last".to_owned()));
    exports.iter().for_each(|index| pull(&mut graph, "first".to_owned(), name(*index)));
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: gaps.boxes,
        edgesep: gaps.arrows,
        ranksep: gaps.columns,
        ..LayoutOptions::default()
    };
    layout(&mut graph, Some(options));
    let places = (0..picture.boxes.len()).map(|index| {
        let node = graph.node(&name(index)).cloned().unwrap_or_default();
        let (x, y) = (node.x.unwrap_or_default(), node.y.unwrap_or_default());
        Place { x, y, width: node.width, height: node.height }
    });
    let places: Vec<Place> = places.collect();
    let mut routes: Vec<Route> = picture
        .arrows
        .iter()
        .map(|arrow| {
            let edge = graph.edge(&name(arrow.from), &name(arrow.to), None).cloned().unwrap_or_default();
            Route {
                label: Point { x: edge.x.unwrap_or_default(), y: edge.y.unwrap_or_default() },
                points: edge.points.iter().map(|point| Point { x: point.x, y: point.y }).collect(),
            }
        })
        .collect();
    straighten(picture, &places, labels, &mut routes);
    (places, routes)
}

/// Has arrows leave boxes on the right and come in on the left, each at a height of its own, and cross columns level, of
/// boxes as well as of labels. Those that go back, or to where they come from, stay as they are.
fn straighten(picture: &Picture, places: &[Place], labels: &[(f64, f64)], routes: &mut [Route]) {
    let connected = picture.connected().map(|index| &places[index]);
    let mut columns: Vec<(f64, f64)> = connected.map(|place| (place.x, place.width)).collect();
    columns.extend(routes.iter().zip(labels).map(|(route, (width, _))| (route.label.x, *width)));
    let forward: Vec<usize> = (0..routes.len())
        .filter(|index| {
            let arrow = &picture.arrows[*index];
            places[arrow.from].x < places[arrow.to].x && routes[*index].points.len() > 2
        })
        .collect();
    let leaving = ports(&forward, places, |index| (picture.arrows[index].from, routes[index].points[1].y));
    let arriving = ports(&forward, places, |index| {
        let points = &routes[index].points;
        (picture.arrows[index].to, points[points.len() - 2].y)
    });
    for ((index, leave), arrive) in forward.iter().zip(leaving).zip(arriving) {
        let (from, to) = (&places[picture.arrows[*index].from], &places[picture.arrows[*index].to]);
        let mut points = vec![Point { x: from.x + from.width / 2.0, y: leave }];
        points.push(Point { x: from.x + column(&columns, from.x) / 2.0, y: leave });
        let route = &mut routes[*index];
        for point in &route.points[1..route.points.len() - 1] {
            let half = column(&columns, point.x) / 2.0;
            points.extend([Point { x: point.x - half, ..*point }, Point { x: point.x + half, ..*point }]);
        }
        points.push(Point { x: to.x - column(&columns, to.x) / 2.0, y: arrive });
        points.push(Point { x: to.x - to.width / 2.0, y: arrive });
        points.dedup();
        route.points = points;
    }
}

/// How wide the widest is that is in the middle of here, of middles and widths. Zero between columns.
fn column(columns: &[(f64, f64)], x: f64) -> f64 {
    columns.iter().filter(|(middle, _)| (middle - x).abs() < 1.0).map(|(_, width)| *width).fold(0.0, f64::max)
}

/// The heights at which arrows meet their boxes: spread over the side, in the order of where they come from or go to.
/// `end` tells the box, and that height.
fn ports(arrows: &[usize], places: &[Place], end: impl Fn(usize) -> (usize, f64)) -> Vec<f64> {
    let ends: Vec<(usize, f64)> = arrows.iter().map(|index| end(*index)).collect();
    let port = |(at, (shape, height)): (usize, &(usize, f64))| {
        let before = |(other, (_, there)): &(usize, &(usize, f64))| {
            *there < *height || *there <= *height && *other < at
        };
        let same = || ends.iter().enumerate().filter(|(_, (other, _))| other == shape);
        let (rank, count) = (same().filter(before).count() as f64, same().count() as f64);
        let place = &places[*shape];
        place.y - place.height / 2.0 + place.height * (rank + 1.0) / (count + 1.0)
    };
    ends.iter().enumerate().map(port).collect()
}

/// Moves everything so that it begins at the margin, below the title.
fn framed(
    picture: &Picture,
    mut places: Vec<Place>,
    mut routes: Vec<Route>,
    labels: &[(f64, f64)],
    down: bool,
) -> Plan {
    let mut low = Point { x: f64::INFINITY, y: f64::INFINITY };
    let mut high = Point { x: 0.0, y: 0.0 };
    let mut include = |x: f64, y: f64, width: f64, height: f64| {
        low = Point { x: low.x.min(x - width / 2.0), y: low.y.min(y - height / 2.0) };
        high = Point { x: high.x.max(x + width / 2.0), y: high.y.max(y + height / 2.0) };
    };
    for place in picture.connected().map(|index| &places[index]) {
        include(place.x, place.y, place.width, place.height);
    }
    for (route, (width, height)) in routes.iter().zip(labels) {
        include(route.label.x, route.label.y, *width, *height);
        route.points.iter().for_each(|point| include(point.x, point.y, 0.0, 0.0));
    }
    let (right, below) = (MARGIN - low.x, MARGIN + TITLE - low.y);
    for place in &mut places {
        place.x += right;
        place.y += below;
    }
    let points = routes.iter_mut().flat_map(|route| route.points.iter_mut().chain([&mut route.label]));
    points.for_each(|point| *point = Point { x: point.x + right, y: point.y + below });
    let (width, height) = (high.x + right + MARGIN, high.y + below + MARGIN);
    Plan { places, routes, width, height, down }
}

/// Puts the host's boxes below everything else, in rows.
fn shelve(sized: &Measured, plan: &mut Plan) {
    let left = MARGIN + GROUND;
    let end = (plan.width - left).max(SHELF);
    let (mut x, mut top, mut bottom) = (left, plan.height + GROUND_TITLE, plan.height);
    for index in sized.picture.of_kind(Kind::Host) {
        let (width, height) = sized.boxes[index];
        if x > left && x + width > end {
            (x, top) = (left, bottom + GROUND);
        }
        plan.places[index] = Place { x: x + width / 2.0, y: top + height / 2.0, width, height };
        bottom = bottom.max(top + height);
        x += width + GROUND;
        plan.width = plan.width.max(x + MARGIN);
    }
    plan.height = bottom + GROUND + MARGIN;
}

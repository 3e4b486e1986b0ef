// Draws the last values: a small chart for each topic and field, with a line for each number that the rule compares to.

import { h, local, span, svg } from "./dom.js";

const HEIGHT = 190;
const EDGE = { left: 52, right: 60, top: 12, bottom: 24 };
const SHOWN = 12;

// Draw the fields that the rule names, or all where it names none; null where there are no series at all.
export function charts(series, rule) {
  const named = series.filter(({ field }) => new RegExp(`(?<![\\w.])${literal(field)}(?![\\w])`).test(`${rule?.when} ${rule?.clear}`));
  const drawn = (named.length ? named : series).filter(({ points }) => points.length > 1);
  if (!drawn.length) return series.length ? h("p", { class: "empty" }, "Too few values yet.") : null;
  const crossing = new Map(drawn.map((each) => [each, crosses(each, limits(rule, each.field))]));
  drawn.sort((a, b) => crossing.get(b) - crossing.get(a));
  const hidden = drawn.length - SHOWN;
  const room = document.getElementById("main").clientWidth;
  const width = room > 760 ? 500 : Math.max(260, room - 58); // as wide as it is shown, so that letters keep their size
  return [h("div", { class: "charts" }, drawn.slice(0, SHOWN).map((each) => chart(each, limits(rule, each.field), width))),
    hidden > 0 ? h("p", { class: "hint" }, `and ${hidden} more`) : null];
}

const literal = (text) => text.replace(/[^\w]/g, "\\$&");

// Whether the values were on both sides of a limit. Such charts come first: they are what people look for.
function crosses({ points }, lines) {
  return lines.some(({ value }) => points.some((point) => point[1] > value) && points.some((point) => point[1] < value));
}

// The numbers that a condition compares this field with: `temperature > -15`, `-15 < temperature`.
function limits(rule, field) {
  const name = `(?<![\\w.])(?:payload\\.)?${literal(field)}(?![\\w.(])`;
  const number = "(-?\\d+(?:\\.\\d+)?)";
  const found = [];
  for (const [what, text] of [["when", rule?.when], ["clear", rule?.clear]]) {
    for (const match of (text ?? "").matchAll(new RegExp(`${name}\\s*[<>]=?\\s*${number}|${number}\\s*[<>]=?\\s*${name}`, "g"))) {
      found.push({ what, value: Number(match[1] ?? match[2]) });
    }
  }
  return found;
}

// About `count` round numbers between two values, for the lines of the grid.
function steps(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw);
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, place) => Number((first + place * step).toPrecision(12)));
}

function chart({ topic, field, points }, lines, width) {
  const values = [...points.map(([, value]) => value), ...lines.map(({ value }) => value)];
  const [low, high] = padded(Math.min(...values), Math.max(...values));
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const x = (at) => EDGE.left + ((at - first) / (last - first || 1)) * (width - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - ((value - low) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const path = points.map(([at, value], place) => `${place ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const latest = points.at(-1)[1];
  const said = `${field} of ${topic}: now ${latest}, between ${Math.min(...points.map((p) => p[1]))} and ${Math.max(...points.map((p) => p[1]))} in ${span(last - first)}`;
  const right = width - EDGE.right;
  return h("figure", { class: "chart" },
    h("figcaption", {}, h("b", {}, field), " ", h("span", { class: "topic" }, topic)),
    svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": said },
      steps(low, high, 4).map((value) => [
        svg("line", { class: "grid", x1: EDGE.left, x2: right, y1: y(value), y2: y(value) }),
        svg("text", { class: "tick", x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, value)]),
      [first, (first + last) / 2, last].map((at, place) => svg("text", {
        class: "tick", x: x(at), y: HEIGHT - 6, "text-anchor": ["start", "middle", "end"][place],
      }, clockTime(at, last - first))),
      lines.map(({ what, value }) => [
        svg("line", { class: `limit ${what}`, x1: EDGE.left, x2: right, y1: y(value), y2: y(value) }),
        svg("text", { class: "limit-name", x: EDGE.left + 4, y: y(value) - 4 }, `${what} ${value}`)]),
      svg("path", { class: "line", d: path }),
      svg("circle", { class: "dot", cx: x(last), cy: y(latest), r: 3.5 }),
      svg("text", { class: "latest", x: x(last) + 8, y: y(latest) + 4 }, Number(latest.toPrecision(6)))));
}

function padded(low, high) {
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

function clockTime(at, range) {
  return local(at * 1000, range < 600 ? { timeStyle: "medium" } : { hour: "2-digit", minute: "2-digit" });
}

/**
 * HTML that is escaped by construction.
 *
 * `html` is the only way to make markup here, and whatever it interpolates is escaped unless it was made
 * by `html` itself. There is no function to mark a string as safe: a drawing or a piece of a page is a
 * template without holes. Attribute values are always written in double quotes, which the escaping covers.
 */

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Markup. Its text is private, so that no plain object can pass for it. */
class Html {
  #text;

  constructor(text) {
    this.#text = text;
  }

  toString() {
    return this.#text;
  }
}

/** Text for an element's content or a quoted attribute. Control characters have no meaning there. */
export function escape(text) {
  return String(text)
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "\ufffd")
    .replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

function render(value) {
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(render).join("");
  if (value === undefined || value === null || value === false) return "";
  return escape(value);
}

/** Tagged template: markup with every interpolation escaped. Lists are joined; nothing shows as nothing. */
export function html(parts, ...values) {
  let text = parts[0];
  for (let index = 0; index < values.length; index += 1) {
    text += render(values[index]) + parts[index + 1];
  }
  return new Html(text);
}

/** Reading the forms that the pages send. */

import { parseFields } from "../address.js";
import { utf8 } from "../json.js";
import { Refusal } from "../refusal.js";

/**
 * The fields of a form that one of this shop's pages sent.
 *
 * Browsers tell where a form comes from: `Sec-Fetch-Site` where they know it, else `Origin`. Another site's form
 * is refused. A client that sends neither is no browser, and has no visitor's cookie to abuse.
 */
export function readForm(request) {
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  const foreign =
    site !== undefined
      ? site !== "same-origin" && site !== "none"
      : origin !== undefined && origin.replace(/^https?:\/\//, "") !== request.authority;
  if (foreign) throw new Refusal(403, "cross-site", "This form came from elsewhere", "Only this shop's own pages may send its forms.");
  const type = (request.header("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new Refusal(415, "unsupported-type", "Unsupported content type", "A form must be sent as application/x-www-form-urlencoded.");
  }
  return parseFields(utf8(request.body()), "form");
}

/**
 * Times: milliseconds since 1970 as a BigInt, to text, over the whole range of the contract.
 *
 * `Date` ends in the year 275760 and would throw there; this is plain calendar arithmetic instead.
 */

const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July",
  "August", "September", "October", "November", "December",
];

const two = (value) => value.toString().padStart(2, "0");

/** Year, month (1-12), day, hour, minute, second and millisecond in UTC. */
function civil(millis) {
  const days = millis / 86_400_000n;
  const inDay = Number(millis % 86_400_000n);
  // Counted in eras of 400 years from 0000-03-01, so that a leap day is the last of its year.
  const shifted = days + 719_468n;
  const era = shifted / 146_097n;
  const dayOfEra = Number(shifted % 146_097n);
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: BigInt(yearOfEra) + era * 400n + (month <= 2 ? 1n : 0n),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    hour: Math.floor(inDay / 3_600_000),
    minute: Math.floor(inDay / 60_000) % 60,
    second: Math.floor(inDay / 1000) % 60,
    milli: inDay % 1000,
  };
}

/** ISO 8601 in UTC with milliseconds; a year beyond 9999 has a sign, as the standard wants it. */
export function isoTime(millis) {
  const at = civil(millis);
  const year = at.year > 9999n ? `+${at.year.toString().padStart(6, "0")}` : at.year.toString().padStart(4, "0");
  const milli = at.milli.toString().padStart(3, "0");
  return `${year}-${two(at.month)}-${two(at.day)}T${two(at.hour)}:${two(at.minute)}:${two(at.second)}.${milli}Z`;
}

/** The same for people: `20 November 2026, 14:05 UTC`. */
export function longTime(millis) {
  const at = civil(millis);
  return `${at.day} ${MONTHS[at.month - 1]} ${at.year}, ${two(at.hour)}:${two(at.minute)} UTC`;
}

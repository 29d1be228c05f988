/** The measures that both drawing and style sheets need, CSS pixels: here once, and put into the style sheets as custom properties. */
export const MEASURES = {
  gutter: 64, // at the left of every plot, with the names
  lanes: 62, // digital lanes, at least
  channel: 19, // a line of the list of channels
  row: 20, // of a table
  head: 36, // of a table
};

/** Lends the measures to the style sheets, as --gutter and so on. @param {{ setProperty(name: string, value: string): void }} style  that of the root element */
export function lendMeasures(style) {
  for (const [name, pixels] of Object.entries(MEASURES)) style.setProperty("--" + name, pixels + "px");
}

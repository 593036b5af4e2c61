/** A colour for each class: as far apart as eight can be, for eyes that lack red, green or blue cones too. */

const light = ["#0066d8", "#ff6633", "#003333", "#b28cd8", "#66008c", "#8c668c", "#000033", "#b23300"] as const;
const dark = ["#338cd8", "#ffb28c", "#33668c", "#ffff66", "#b23300", "#8cffff", "#b28c00", "#b2b2ff"] as const;

export const classColours = (isDark: boolean): readonly string[] => (isDark ? dark : light);

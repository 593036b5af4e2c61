// What the options of a recipe become.
import { expect, test } from "vitest";
import { readRecipe } from "../../src/cli/recipe.ts";

test.each([
  [{}, true],
  [{ velocity: "detached" }, true],
  [{ velocity: "whole" }, false],
])("--velocity: of %o the loss holds the velocity constant: %s", async (args, expected) => {
  const recipe = await readRecipe("moons", args);
  expect(recipe.loss("fdm").options).toMatchObject({ detachVelocity: expected, form: "slice" });
});

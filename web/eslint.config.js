import js from "@eslint/js";
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";

const here = fileURLToPath(new globalThis.URL(".", import.meta.url));

export default tseslint.config(
  { ignores: ["**/dist/", "**/node_modules/", "sdk/src/gen/", "examples/*/gen/", "milepost/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: here },
    },
    rules: {
      // Text of terminals has control characters, which the pages look for.
      "no-control-regex": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // A page shows what comes by an answer of its own, at a time of its own.
    files: [
      "pages/test/**/*.ts",
      ...["messages", "package", "react"].map((name) => `sdk/test/${name}.test.ts`),
    ],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.name='expect'] AwaitExpression",
          message:
            "This reads the page once, which may be too early: wait with `await expect.poll(() => …)`, `shows` or `accessible`. What must be so at any time is read into a constant first.",
        },
      ],
    },
  },
);

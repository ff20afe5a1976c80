"""Jobs under engines that Milepost has no package for, each in one file; docs/recipes.md."""

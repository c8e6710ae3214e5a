package broken

func Price() int { return undefinedName }
